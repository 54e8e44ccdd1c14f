//go:build systemd

package test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHost_Reload edits the role of a worker that runs, under both systemds: nothing may restart,
// and systemd must be told right.
func TestHost_Reload(t *testing.T) {
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			p := bootPair(t, suite)
			p.startBoth(t)
			w := p.worker
			before := up.with("MainPID", w.mainPID(t, unit)).with("NRestarts", "0")
			raylet := w.one(t, unit, "raylet").Pid
			edit := func(text string) { w.layOver(t, "50-edit", text) }

			edit("stop.grace = \"4s\"\n")
			w.logs(t, "applied from the role file: stop.grace\n")

			edit("stop.grace = 4\n")
			w.await(
				t,
				unit,
				before.with(
					"StatusText",
					"running: *; the former role stays: /etc/raynoded/role.toml.d/50-edit.toml:1:14: stop.grace: must be *",
				),
			)
			require.NotZero(t, w.Run(t, "systemctl reload "+unit).Code, "a bad file")
			refused := w.Run(t, "raynoded reload")
			require.Equal(t, 78, refused.Code)
			require.Contains(t, refused.Stderr, "/etc/raynoded/role.toml.d/50-edit.toml:1:14: stop.grace: must be ")

			edit("stop.grace = \"3s\"\nray.num_cpus = 3\n")
			w.Sh(t, "systemctl reload "+unit)
			w.await(t, unit, before.with("StatusText", "running: *; restart pending: ray.num_cpus"))
			require.Contains(t, w.Sh(t, "raynoded reload"), "restart pending: ray.num_cpus")

			w.requireIs(t, unit, before)
			require.Equal(t, raylet, w.one(t, unit, "raylet").Pid)

			w.Sh(t, "systemctl restart "+unit)
			w.await(t, unit, up.with("StatusText", "running: worker of grpo, head a.lab:6379"))
		})
	}
}
