//go:build systemd

package hosts

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
)

// TestHost_Reload edits the role of a worker that runs, under both systemds: nothing may restart,
// and systemd must be told right.
func TestHost_Reload(t *testing.T) {
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			p := host.BootPair(t, suite)
			p.StartBoth(t)
			w := p.Worker
			before := host.Up.With("MainPID", w.MainPID(t, host.Unit)).With("NRestarts", "0")
			raylet := w.ProcIn(t, host.Unit, "raylet").Pid
			edit := func(text string) { w.LayOver(t, "50-edit", text) }

			edit("stop.grace = \"4s\"\n")
			w.AwaitLog(t, "applied from the role file: stop.grace\n")

			edit("stop.grace = 4\n")
			w.Await(
				t,
				host.Unit,
				before.With(
					"StatusText",
					"running: *; the former role stays: /etc/raynoded/role.toml.d/50-edit.toml:1:14: stop.grace: must be *",
				),
			)
			require.NotZero(t, w.Run(t, "systemctl reload "+host.Unit).Code, "a bad file")
			refused := w.Run(t, "raynoded reload")
			require.Equal(t, 78, refused.Code)
			require.Contains(t, refused.Stderr, "/etc/raynoded/role.toml.d/50-edit.toml:1:14: stop.grace: must be ")

			edit("stop.grace = \"3s\"\nray.num_cpus = 3\n")
			w.Sh(t, "systemctl reload "+host.Unit)
			w.Await(t, host.Unit, before.With("StatusText", "running: *; restart pending: ray.num_cpus"))
			require.Contains(t, w.Sh(t, "raynoded reload"), "restart pending: ray.num_cpus")

			w.RequireState(t, host.Unit, before)
			require.Equal(t, raylet, w.ProcIn(t, host.Unit, "raylet").Pid)

			w.Sh(t, "systemctl restart "+host.Unit)
			w.Await(t, host.Unit, host.Up.With("StatusText", "running: worker of grpo, head a.lab:6379"))
		})
	}
}
