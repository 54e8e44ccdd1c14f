//go:build ray

package test

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

	"github.com/raynoded/raynoded/test/lab"
)

// TestSoak lets one standing worker live through RAYNODED_SOAK heads, 3 if that is not set: what it
// holds while it waits for the next must not grow.
func TestSoak(t *testing.T) {
	lives := 3
	if n, err := strconv.Atoi(os.Getenv("RAYNODED_SOAK")); err == nil {
		lives = n
	}
	s := newSite(t, "2.60.0")
	h := s.member(t, "head", headRole, quickStop)
	worker := s.member(t, "worker", workerRole, `watchdog.on_head_loss = "rejoin"`).start(t)
	var before holding
	for n := 1; n <= lives; n++ {
		good := t.Run(fmt.Sprint(n), func(t *testing.T) { outlives(t, h, worker, n) })
		require.True(t, good)
		now := worker.holds(t)
		t.Logf("after %3d lives: %+v", n, now)
		if n <= 1+lives/10 {
			before = now
			continue
		}
		require.False(t, now.more(before), "it held %+v; its folders now: %v", before, worker.files(t))
	}
	worker.stop(t)
}

// outlives has a head come and go, in a way that depends on n. Every third time the worker works
// for somebody then.
func outlives(t *testing.T, h *member, worker *running, n int) {
	t.Helper()
	head, began := h.start(t), time.Now()
	worker.hearsAfter(t, began, "STATUS=running: ")
	lab.Until(
		t, comes, "`ray start` of the worker has returned",
		func() bool { return !slices.ContainsFunc(worker.look(), isRayStart) },
	)
	const keep = 3 // ray.keep_sessions
	lab.Until(t, comes, "old sessions are removed", func() bool { return len(worker.sessions(t)) <= keep })
	if n%3 == 0 {
		worker.busy(t)
	}
	if n%2 == 0 {
		head.stop(t)
	} else {
		kill(t, head.one(t, gcsServer), unix.SIGKILL)
		head.ends(t, 70, "Ray failed: gcs_server ended with signal killed")
	}
	worker.hearsAfter(t, began, "STATUS=waiting: worker of lab, head "+h.head+"; head lost: gone: ")
	for _, p := range worker.tree {
		require.False(t, p.living(), "left: %s", p)
	}
	worker.tree = nil
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
func (r *running) holds(t *testing.T) holding {
	t.Helper()
	require.Empty(t, below(r.pid()), "it has children while it waits")
	least := holding{}
	for range 20 {
		fds, err := os.ReadDir("/proc/" + itoa(r.pid()) + "/fd")
		require.NoError(t, err)
		if least.fds == 0 || len(fds) < least.fds {
			least.fds = len(fds)
		}
		time.Sleep(20 * time.Millisecond)
	}
	status, err := os.ReadFile("/proc/" + itoa(r.pid()) + "/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		_, _ = fmt.Sscanf(line, "Threads: %d", &least.threads)
		_, _ = fmt.Sscanf(line, "VmRSS: %d", &least.resident)
	}
	for _, tree := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		least.cgroups += len(glob(t, tree+ownCgroup(t)+"/ray-"+itoa(r.pid())+"-*"))
	}
	least.sessions = len(r.sessions(t))
	least.files = len(r.files(t)) - least.sessions
	return least
}

// files are those in a member's folder, and in the folders there.
func (r *running) files(t *testing.T) []string {
	return append(glob(t, r.path("*")), glob(t, r.path("*", "*"))...)
}

func (r *running) sessions(t *testing.T) []string { return glob(t, r.path("ray", "session_2*")) }

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return found
}
