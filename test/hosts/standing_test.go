//go:build systemd

package hosts

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestHost_Standing is a cluster whose units are enabled, and whose worker outlives its heads.
func TestHost_Standing(t *testing.T) {
	p := host.BootPair(t, "trixie")
	p.Worker.LayOver(t, "standing", host.Standing)
	const waits = "waiting: worker of grpo, head a.lab:6379; "
	for _, h := range []*host.Host{p.Head, p.Worker} {
		h.Sh(t, "systemctl enable --quiet "+host.Unit)
	}

	t.Run("a start does not wait for the head", func(t *testing.T) {
		began := host.Clock(t)
		p.Worker.Sh(t, "systemctl start "+host.Unit)
		t.Logf("active after %s", p.Worker.Since(t, began, host.Unit, "ActiveEnter"))
		p.Worker.Await(t, host.Unit, host.Up.With("StatusText", waits+"*connection refused*"))
		require.Equal(t, 69, p.Worker.Run(t, "raynoded wait --nodes 2 --timeout 1s").Code, "the gate in the standing way")
	})

	t.Run("it goes from head to head", func(t *testing.T) {
		p.StartBoth(t)
		_, family := p.Busy(t)
		main, raylet := p.Worker.MainPID(t, host.Unit), p.Worker.ProcIn(t, host.Unit, "raylet")
		p.Head.Sh(t, fmt.Sprintf("kill -KILL %d", p.Head.ProcIn(t, host.Unit, "gcs_server").Pid))
		p.Head.Freeze(t, true) // the next GCS comes when the worker has been looked at
		p.Worker.Await(t, host.Unit, host.Up.With("StatusText", waits+"*").With("MainPID", main))
		lab.Until(t, lab.Patience, "only raynoded is left", func() bool { return len(p.Worker.ProcsIn(t, host.Unit)) == 1 })
		for _, proc := range p.Worker.Procs(t) {
			require.NotContains(t, append(family, raylet.Pid), proc.Pid)
		}
		p.Head.Freeze(t, false)

		p.Head.Await(t, host.Unit, host.Up.With("NRestarts", "1"))
		p.Await(t)
		p.Worker.RequireState(t, host.Unit, host.State{"MainPID": main, "NRestarts": "0"})
		require.NotEqual(t, raylet.Pid, p.Worker.ProcIn(t, host.Unit, "raylet").Pid)
	})

	t.Run("its host is rebooted", func(t *testing.T) {
		p.Worker.Reboot(t)
		p.Await(t)
		p.Worker.RequireState(t, host.Unit, host.State{"NRestarts": "0", "UnitFileState": "enabled"})
	})

	t.Run("the head's host is rebooted", func(t *testing.T) {
		main := p.Worker.MainPID(t, host.Unit)
		p.Head.Reboot(t)
		p.Head.Await(t, host.Unit, host.Up)
		p.Await(t)
		p.Worker.RequireState(t, host.Unit, host.State{"MainPID": main, "NRestarts": "0"})
	})

	// From here on the worker is per-job.
	p.Worker.Sh(t, "rm "+host.RolePath+".d/standing.toml")
	p.Worker.LayOver(t, "silent", "watchdog.silent = \"6s\"\n")

	t.Run("the head's host is cut off, and the raylet dies of it", func(t *testing.T) {
		p.Worker.Sh(t, "systemctl restart "+host.Unit)
		p.Await(t)
		began := host.Clock(t)
		p.Head.Cut(t, true)
		defer p.Head.Cut(t, false)
		p.Worker.Sh(t, fmt.Sprintf("kill -KILL %d", p.Worker.ProcIn(t, host.Unit, "raylet").Pid))
		p.Worker.Await(t, host.Unit, host.Down.With("NRestarts", "0"))
		t.Logf("the worker was inactive after %s", p.Worker.Since(t, began, host.Unit, "InactiveEnter"))
		p.Worker.AwaitLog(t, "ended: head lost: silent: nothing comes back for ")
		p.Worker.RequireNothingOf(t, host.Unit)
	})

	t.Run("the head's host is shut down", func(t *testing.T) {
		p.StartBoth(t)
		began := host.Clock(t)
		p.Head.PowerOff(t)
		t.Logf("the head's host was off after %s", host.Clock(t)-began)
		p.Worker.Await(t, host.Unit, host.Down)
		t.Logf("the worker was inactive after %s", p.Worker.Since(t, began, host.Unit, "InactiveEnter"))
		p.Worker.RequireNothingOf(t, host.Unit)
		p.Worker.AwaitLog(t, "ended: head lost: ")
	})
}
