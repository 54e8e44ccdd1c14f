//go:build ray

package ray

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
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// TestSoak lets one standing worker live through RAYNODED_SOAK heads, 3 if that is not set: what it
// holds while it waits for the next must not grow.
func TestSoak(t *testing.T) {
	lives := 3
	if n, err := strconv.Atoi(os.Getenv("RAYNODED_SOAK")); err == nil {
		lives = n
	}
	s := site.New(t, "2.60.0")
	h := s.Member(t, "head", site.HeadRole, site.QuickStop)
	worker := s.Member(t, "worker", site.WorkerRole, `watchdog.on_head_loss = "rejoin"`).Start(t)
	var before holding
	for n := 1; n <= lives; n++ {
		good := t.Run(fmt.Sprint(n), func(t *testing.T) { outlives(t, h, worker, n) })
		require.True(t, good)
		now := holds(t, worker)
		t.Logf("after %3d lives: %+v", n, now)
		if n <= 1+lives/10 {
			before = now
			continue
		}
		require.False(t, now.more(before), "it held %+v; its folders now: %v", before, filesOf(t, worker))
	}
	worker.Stop(t)
}

// outlives has a head come and go, in a way that depends on n. Every third time the worker works
// for somebody then.
func outlives(t *testing.T, h *site.Member, worker *site.Running, n int) {
	t.Helper()
	head, began := h.Start(t), time.Now()
	worker.HearsAfter(t, began, "STATUS=running: ")
	lab.Until(
		t, lab.Patience, "`ray start` of the worker has returned",
		func() bool { return !slices.ContainsFunc(worker.Look(), isRayStart) },
	)
	const keep = 3 // ray.keep_sessions
	lab.Until(t, lab.Patience, "old sessions are removed", func() bool { return len(sessionsOf(t, worker)) <= keep })
	if n%3 == 0 {
		worker.Busy(t)
	}
	if n%2 == 0 {
		head.Stop(t)
	} else {
		kill(t, head.Proc(t, site.GCSServer), unix.SIGKILL)
		head.Ends(t, 70, "Ray failed: gcs_server ended with signal killed")
	}
	worker.HearsAfter(t, began, "STATUS=waiting: worker of lab, head "+h.Head+"; head lost: gone: ")
	for _, p := range worker.Tree {
		require.False(t, p.Living(), "left: %s", p)
	}
	worker.Tree = nil
}

// holding is what a raynoded holds, and its folders.
type holding struct {
	fds, threads, resident int // the last in KiB
	cgroups, files         int // without Ray's sessions
	sessions               int
}

// more says whether it is more than it was, but for what the kernel's and the runtime's own growth
// comes to, which ends.
func (h holding) more(before holding) bool {
	const threads, resident = 6, 24 << 10 // of a program with the race detector
	return h.fds > before.fds || h.cgroups > before.cgroups || h.files > before.files ||
		h.threads > before.threads+threads || h.resident > before.resident+resident
}

// holds looks at a raynoded that waits for its head. The least of several looks counts, as a
// connection may just be open.
func holds(t *testing.T, r *site.Running) holding {
	t.Helper()
	require.Empty(t, site.Below(r.PID()), "it has children while it waits")
	least := holding{}
	for range 20 {
		fds, err := os.ReadDir("/proc/" + strconv.Itoa(r.PID()) + "/fd")
		require.NoError(t, err)
		if least.fds == 0 || len(fds) < least.fds {
			least.fds = len(fds)
		}
		time.Sleep(20 * time.Millisecond)
	}
	status, err := os.ReadFile("/proc/" + strconv.Itoa(r.PID()) + "/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "Threads: %d", &least.threads)
		_, _ = fmt.Sscanf(line, "VmRSS: %d", &least.resident)
	}
	for _, tree := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		least.cgroups += len(glob(t, tree+site.OwnCgroup(t)+"/ray-"+strconv.Itoa(r.PID())+"-*"))
	}
	least.sessions = len(sessionsOf(t, r))
	least.files = len(filesOf(t, r)) - least.sessions
	return least
}

// filesOf are those in a member's folder, and in the folders there.
func filesOf(t *testing.T, r *site.Running) []string {
	return append(glob(t, r.Path("*")), glob(t, r.Path("*", "*"))...)
}

func sessionsOf(t *testing.T, r *site.Running) []string { return glob(t, r.Path("ray", "session_2*")) }

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return found
}
