package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Wedge puts a process of the host, numbered as the host sees it, into
// uninterruptible sleep (D), as a driver or a network file system may do: no
// signal ends it, SIGKILL waits until free is called. The end of the test calls
// it in any case. It takes the freezer of cgroup v1, which the machine may have
// beside v2; the test is skipped where it is not mounted.
func (n *Node) Wedge(t testing.TB, pid int) (free func()) {
	t.Helper()
	freezer := freezerMount(t)
	leader, err := n.leader()
	require.NoError(t, err)
	dir := filepath.Join(freezer, fmt.Sprintf("%s-%d", filepath.Base(n.dir), os.Getpid()))
	require.NoError(t, os.Mkdir(dir, 0o755))
	set := func(state string) {
		path := filepath.Join(dir, "freezer.state")
		require.NoError(t, os.WriteFile(path, []byte(state), 0))
	}
	freed := false
	free = func() {
		if freed {
			return
		}
		freed = true
		set("THAWED")
		Until(t, 10*time.Second, "the cgroup of the wedged process can be removed", func() bool {
			moveAll(dir, freezer)
			return os.Remove(dir) == nil
		})
	}
	t.Cleanup(free)
	outside := machinePID(t, leader, pid)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(outside), 0))
	set("FROZEN")
	Until(t, 10*time.Second, "the process is in state D", func() bool {
		return slices.ContainsFunc(n.Procs(t), func(p Proc) bool { return p.Pid == pid && p.State == "D" })
	})
	return free
}

// freezerMount is where the freezer of v1 is mounted.
func freezerMount(t testing.TB) string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if fields[2] == "cgroup" && slices.Contains(strings.Split(fields[3], ","), "freezer") {
			return fields[1]
		}
	}
	t.Skip("no process can be wedged here: the freezer of cgroup v1 is not mounted")
	return ""
}

// moveAll moves the processes of a cgroup that are still there into another one.
func moveAll(from, to string) {
	pids, _ := os.ReadFile(filepath.Join(from, "cgroup.procs"))
	for pid := range strings.Lines(string(pids)) {
		_ = os.WriteFile(filepath.Join(to, "cgroup.procs"), []byte(pid), 0) // it may just have ended
	}
}

// machinePID is the number that the machine has for a process of the host whose
// PID 1 is leader.
func machinePID(t testing.TB, leader, pid int) string {
	t.Helper()
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", leader))
	require.NoError(t, err)
	paths, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, path := range paths {
		if its, err := os.Readlink(path + "/ns/pid"); err != nil || its != space {
			continue
		}
		status, _ := os.ReadFile(path + "/status")
		_, numbers, _ := strings.Cut(string(status), "\nNSpid:")
		line, _, _ := strings.Cut(numbers, "\n")
		if all := strings.Fields(line); len(all) > 0 && all[len(all)-1] == strconv.Itoa(pid) {
			return filepath.Base(path)
		}
	}
	require.FailNow(t, "no such process in the host", "%d", pid)
	return ""
}
