//go:build systemd

package test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// TestHost_Standing is a cluster whose units are enabled, and whose worker outlives its heads.
func TestHost_Standing(t *testing.T) {
	p := bootPair(t, "trixie")
	p.worker.layOver(t, "standing", standing)
	for _, h := range []*installed{p.head, p.worker} {
		h.Sh(t, "systemctl enable --quiet "+unit)
	}

	t.Run("a start does not wait for the head", func(t *testing.T) {
		began := clock(t)
		p.worker.Sh(t, "systemctl start "+unit)
		t.Logf("active after %s", p.worker.since(t, began, unit, "ActiveEnter"))
		p.worker.await(t, unit, up.with("StatusText", "waiting: worker of grpo, head a.lab:6379; *connection refused*"))
		require.Equal(t, 69, p.worker.Run(t, "raynoded wait --nodes 2 --timeout 1s").Code, "the gate in the standing way")
	})

	t.Run("it goes from head to head", func(t *testing.T) {
		p.startBoth(t)
		_, family := p.busy(t)
		main, raylet := p.worker.mainPID(t, unit), p.worker.one(t, unit, "raylet")
		p.head.Sh(t, fmt.Sprintf("kill -KILL %d", p.head.one(t, unit, "gcs_server").Pid))
		p.head.Freeze(t, true) // the next GCS comes when the worker has been looked at
		p.worker.await(t, unit, up.with("StatusText", "waiting: worker of grpo, head a.lab:6379; *").with("MainPID", main))
		lab.Until(t, patience, "only raynoded is left", func() bool { return len(p.worker.in(t, unit)) == 1 })
		for _, proc := range p.worker.Procs(t) {
			require.NotContains(t, append(family, raylet.Pid), proc.Pid)
		}
		p.head.Freeze(t, false)

		p.head.await(t, unit, up.with("NRestarts", "1"))
		p.await(t)
		p.worker.requireIs(t, unit, is{"MainPID": main, "NRestarts": "0"})
		require.NotEqual(t, raylet.Pid, p.worker.one(t, unit, "raylet").Pid)
	})

	t.Run("its host is rebooted", func(t *testing.T) {
		p.worker.Reboot(t)
		p.await(t)
		p.worker.requireIs(t, unit, is{"NRestarts": "0", "UnitFileState": "enabled"})
	})

	t.Run("the head's host is rebooted", func(t *testing.T) {
		main := p.worker.mainPID(t, unit)
		p.head.Reboot(t)
		p.head.await(t, unit, up)
		p.await(t)
		p.worker.requireIs(t, unit, is{"MainPID": main, "NRestarts": "0"})
	})

	// From here on the worker is per-job.
	p.worker.Sh(t, "rm "+rolePath+".d/standing.toml")
	p.worker.layOver(t, "silent", "watchdog.silent = \"6s\"\n")

	t.Run("the head's host is cut off, and the raylet dies of it", func(t *testing.T) {
		p.worker.Sh(t, "systemctl restart "+unit)
		p.await(t)
		began := clock(t)
		p.head.Cut(t, true)
		defer p.head.Cut(t, false)
		p.worker.Sh(t, fmt.Sprintf("kill -KILL %d", p.worker.one(t, unit, "raylet").Pid))
		p.worker.await(t, unit, down.with("NRestarts", "0"))
		t.Logf("the worker was inactive after %s", p.worker.since(t, began, unit, "InactiveEnter"))
		p.worker.logs(t, "ended: head lost: silent: nothing comes back for ")
		p.worker.requireNothingOf(t, unit)
	})

	t.Run("the head's host is shut down", func(t *testing.T) {
		p.startBoth(t)
		began := clock(t)
		p.head.PowerOff(t)
		t.Logf("the head's host was off after %s", clock(t)-began)
		p.worker.await(t, unit, down)
		t.Logf("the worker was inactive after %s", p.worker.since(t, began, unit, "InactiveEnter"))
		p.worker.requireNothingOf(t, unit)
		p.worker.logs(t, "ended: head lost: ")
	})
}
