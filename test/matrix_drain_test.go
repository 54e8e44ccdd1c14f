//go:build systemd

package test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// drains is a worker that waits so long for its work when it is stopped.
const drains = "stop.drain = \"8s\"\n"

// TestMatrix_Drain is `systemctl stop` of a worker that announces itself.
func TestMatrix_Drain(t *testing.T) {
	asked := "asked to stop: terminated"
	stop := func(t *testing.T, try *trial) { try.worker.Sh(t, "systemctl stop --no-block "+unit) }
	runCells(t, []cell{
		{
			fault: "a draining worker is stopped while an actor works on", core: true, worker: drains,
			do: func(t *testing.T, try *trial) {
				const now = "/srv/place.now"
				placed := try.head.program(t, "raynoded", "role", "place.py", try.worker.Name, now)
				says(t, placed, "ready")
				stop(t, try)
				try.worker.await(t, unit, is{"ActiveState": "deactivating", "StatusText": "draining: *; no new work until *"})
				try.head.Put(t, now, "", "644")
				require.Equal(t, "refused", says(t, placed, "place"))
				try.head.Sh(t, "rm "+now)
			},
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 8*time.Second, 10*time.Second)},
				stands: {head: unharmed(), worker: inactive(asked, 8*time.Second, 10*time.Second)},
			},
		}, {
			fault: "a draining worker is stopped with nothing to do", worker: drains,
			prepare: func(t *testing.T, try *trial) { try.startBoth(t) },
			do:      stop,
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 0, 4*time.Second)},
			},
		}, {
			fault: "a draining worker's actor ends its work", worker: drains,
			do: func(t *testing.T, try *trial) {
				stop(t, try)
				try.worker.await(t, unit, is{"StatusText": "draining: *; no new work until *"})
				try.endDrivers(t)
			},
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 0, 7*time.Second)},
			},
		}, {
			fault: "the head's GCS is killed while a worker drains", worker: drains,
			do: func(t *testing.T, try *trial) {
				stop(t, try)
				try.worker.await(t, unit, is{"StatusText": "draining: *; no new work until *"})
				try.head.signal(t, "KILL", "gcs_server")
			},
			want: map[way]fates{
				perJob: {
					head:   restarted(70, "Ray failed: gcs_server ended with signal killed", 0, 6*time.Second),
					worker: inactive(asked, 0, 6*time.Second),
				},
			},
		},
	})
}
