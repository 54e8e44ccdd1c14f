//go:build systemd

package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
)

// drains is a worker that waits so long for its work when it is stopped.
const drains = "stop.drain = \"8s\"\n"

// TestMatrix_Drain is `systemctl stop` of a worker that announces itself.
func TestMatrix_Drain(t *testing.T) {
	asked := "asked to stop: terminated"
	stop := func(t *testing.T, try *trial) { try.Worker.Sh(t, "systemctl stop --no-block "+host.Unit) }
	runCells(t, []cell{
		{
			fault: "a draining worker is stopped while an actor works on", core: true, worker: drains,
			do: func(t *testing.T, try *trial) {
				const now = "/srv/place.now"
				placed := try.Head.Program(t, "raynoded", "role", "place.py", try.Worker.Name, now)
				host.Says(t, placed, "ready")
				stop(t, try)
				try.Worker.Await(
					t, host.Unit, host.State{"ActiveState": "deactivating", "StatusText": "draining: *; no new work until *"},
				)
				try.Head.Put(t, now, "", "644")
				require.Equal(t, "refused", host.Says(t, placed, "place"))
				try.Head.Sh(t, "rm "+now)
			},
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 8*time.Second, 10*time.Second)},
				stands: {head: unharmed(), worker: inactive(asked, 8*time.Second, 10*time.Second)},
			},
		}, {
			fault: "a draining worker is stopped with nothing to do", worker: drains,
			prepare: func(t *testing.T, try *trial) { try.StartBoth(t) },
			do:      stop,
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 0, 4*time.Second)},
			},
		}, {
			fault: "a draining worker's actor ends its work", worker: drains,
			do: func(t *testing.T, try *trial) {
				stop(t, try)
				try.Worker.Await(t, host.Unit, host.State{"StatusText": "draining: *; no new work until *"})
				try.endDrivers(t)
			},
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 0, 7*time.Second)},
			},
		}, {
			fault: "the head's GCS is killed while a worker drains", worker: drains,
			do: func(t *testing.T, try *trial) {
				stop(t, try)
				try.Worker.Await(t, host.Unit, host.State{"StatusText": "draining: *; no new work until *"})
				try.Head.Signal(t, "KILL", "gcs_server")
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
