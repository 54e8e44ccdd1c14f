package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

const (
	bootLimit     = 2 * time.Minute
	powerOffLimit = 3 * time.Minute // systemd itself gives a unit 90 s to stop
)

// sigrtmin is the C library's SIGRTMIN, from which systemd counts.
const sigrtmin = unix.Signal(34)

// PowerOn boots a host that is off. The test fails if not all jobs of the boot
// are done after two minutes; that a unit failed is the test's business.
func (h *Host) PowerOn(t testing.TB) {
	t.Helper()
	require.False(t, h.On(), "host %s is on", h.Name)
	require.NoError(t, h.powerOn(t.Context(), "running", "degraded"))
}

// PowerOff shuts the host down as `systemctl poweroff` does.
func (h *Host) PowerOff(t testing.TB) {
	t.Helper()
	h.shutDown(t, sigrtmin+4, 0)
}

// Reboot shuts the host down as `systemctl reboot` does and boots it again,
// with the files it has. A host that reboots by a command of its own goes off:
// wait for that with [Node.On], then call [Host.PowerOn].
func (h *Host) Reboot(t testing.TB) {
	t.Helper()
	h.shutDown(t, sigrtmin+5, wantsReboot)
	h.PowerOn(t)
}

// wantsReboot is how systemd-nspawn ends with --keep-unit in place of booting anew.
const wantsReboot = 133

func (h *Host) shutDown(t testing.TB, signal unix.Signal, wanted int) {
	t.Helper()
	leader, err := h.leader()
	require.NoError(t, err)
	require.NoError(t, unix.Kill(leader, signal))
	ctx, cancel := Within(t.Context(), powerOffLimit)
	defer cancel()
	select {
	case <-h.ended:
		require.NoError(t, h.unplugged)
		require.Equal(t, wanted, h.main.ProcessState.ExitCode(), "systemd-nspawn of host %s", h.Name)
	case <-ctx.Done():
		t.Fatalf("host %s is not off: %v", h.Name, context.Cause(ctx))
	}
}

func (h *Host) powerOn(ctx context.Context, states ...string) error {
	if err := removeCgroup(h.cgroup); err != nil {
		return err
	}
	if err := h.plug(); err != nil {
		return err
	}
	err := h.launch("env", "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1", "systemd-nspawn", "--quiet", "--boot", "--settings=no",
		"--directory="+h.Root, "--machine="+h.network.claim.name+"-"+h.Name, "--hostname="+h.Name,
		"--network-namespace-path="+namespacePath(h.namespace()),
		"--register=no", "--keep-unit", "--kill-signal=SIGRTMIN+3",
		"--link-journal=no", "--resolv-conf=off", "--timezone=off")
	if err != nil {
		return err
	}
	ctx, cancel := Within(ctx, bootLimit)
	defer cancel()
	return h.booted(ctx, states)
}

// booted waits until the host's systemd has done its jobs.
func (h *Host) booted(ctx context.Context, states []string) error {
	for {
		result, err := h.result(ctx, nil, "systemctl", "is-system-running", "--wait")
		state := strings.TrimSpace(result.Stdout)
		switch {
		case slices.Contains(states, state):
			return nil
		case state == "degraded":
			failed, _ := h.result(ctx, nil, "systemctl", "list-units", "--failed", "--plain", "--no-legend")
			return fmt.Errorf("host %s has failed units: %s", h.Name, failed.Stdout)
		case !h.On():
			return fmt.Errorf("host %s went off while it booted", h.Name)
		case ctx.Err() != nil:
			return fmt.Errorf("host %s (%s) has not booted: %w: %w", h.Name, state, context.Cause(ctx), err)
		}
		time.Sleep(20 * time.Millisecond) // No PID 1 yet, or it does not listen yet.
	}
}
