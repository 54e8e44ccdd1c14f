package host

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// ProcsIn are the processes in a unit's cgroup, raynoded among them.
func (h *Host) ProcsIn(t *testing.T, unit string) []lab.Proc {
	t.Helper()
	var found []lab.Proc
	for _, p := range h.Procs(t) {
		if strings.Contains(p.Cgroup+"/", "/"+unit+"/") {
			found = append(found, p)
		}
	}
	return found
}

// ProcIn returns the only process in a unit whose program has this name.
func (h *Host) ProcIn(t *testing.T, unit, program string) lab.Proc {
	t.Helper()
	var found []lab.Proc
	for _, p := range h.ProcsIn(t, unit) {
		if filepath.Base(p.Args[0]) == program {
			found = append(found, p)
		}
	}
	require.Len(t, found, 1, "processes called %s in %s on %s", program, unit, h.Name)
	return found[0]
}

// MainPID is the unit's main process, by the host's number; "0" if there is none.
func (h *Host) MainPID(t *testing.T, unit string) string {
	t.Helper()
	return h.Show(t, unit, "MainPID")["MainPID"]
}

// RequireNothingOf fails the test if a unit has left something behind: processes in its cgroup, of
// its user or with one of some numbers, cgroups, and its folder in /run. Programs that the test
// itself runs in the host do not count.
func (h *Host) RequireNothingOf(t *testing.T, unit string, pids ...int) {
	t.Helper()
	require.Empty(t, h.ProcsIn(t, unit), "processes of %s on %s", unit, h.Name)
	name := strings.TrimSuffix(strings.TrimPrefix(unit, "raynoded@"), ".service")
	if unit == "raynoded.service" {
		name = "role"
		for _, field := range strings.Fields(h.Run(t, "pgrep -u raynoded").Stdout) {
			pid, err := strconv.Atoi(field)
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	for _, p := range h.Procs(t) {
		require.False(t, slices.Contains(pids, p.Pid) && p.Cgroup != "/lab", "left on %s: %s", h.Name, p)
	}
	require.Empty(
		t, h.Sh(t, fmt.Sprintf("ls -d /run/raynoded/%s 2>/dev/null; find /sys/fs/cgroup -name %s", name, unit)), "on %s",
		h.Name,
	)
}

// RequireGone fails the test if one of the processes is still there, by its number.
func RequireGone(t *testing.T, h *Host, before []lab.Proc) {
	t.Helper()
	require.NotEmpty(t, before)
	now := map[int]lab.Proc{}
	for _, p := range h.Procs(t) {
		now[p.Pid] = p
	}
	for _, p := range before {
		require.NotContains(t, now, p.Pid, "%s was %s", now[p.Pid], p)
	}
}

// Signal sends a signal, such as "KILL", to the only process of [Unit] whose program has this name.
func (h *Host) Signal(t *testing.T, name, program string) {
	t.Helper()
	h.Sh(t, fmt.Sprintf("kill -%s %d", name, h.ProcIn(t, Unit, program).Pid))
}

// Script returns the only process of [Unit] with an argument that ends so: Ray's programs in Python
// have no name of their own.
func (h *Host) Script(t *testing.T, suffix string) lab.Proc {
	t.Helper()
	var found []lab.Proc
	for _, p := range h.ProcsIn(t, Unit) {
		if slices.ContainsFunc(p.Args, func(arg string) bool { return strings.HasSuffix(arg, suffix) }) {
			found = append(found, p)
		}
	}
	require.Len(t, found, 1, "processes of %s on %s", suffix, h.Name)
	return found[0]
}
