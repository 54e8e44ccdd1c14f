//go:build ray

package test

import (
	"os"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/lab"
)

// TestLife is the life of a cluster from the worker's waiting to the death of the head's GCS.
func TestLife(t *testing.T) {
	for _, c := range []struct {
		version string
		start   func(*testing.T, *site) (head, worker *running)
	}{
		{"2.60.0", workerFirst},
		{"2.40.0", headFirst},
		{"2.9.3", headFirst},
	} {
		t.Run(c.version, func(t *testing.T) {
			s := newSite(t, c.version)
			lives(t, s, c.start)
		})
	}
}

// TestLife_NoCgroup is the same where no cgroup can be made, as for an ordinary user: every
// descendant is killed one by one.
func TestLife_NoCgroup(t *testing.T) {
	s := newSite(t, "2.60.0")
	if os.Getuid() == 0 {
		s.wrapper = []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs hidden /sys/fs/cgroup && exec "$0" "$@"`}
	}
	head, worker := lives(t, s, workerFirst)
	for _, r := range []*running{head, worker} {
		require.Regexp(t, `; processes: none \(.*\): killing every descendant\n`, r.log(t))
	}
}

// lives starts a head and a worker, looks at what they are to Ray and its programs, and kills the
// head's GCS.
func lives(t *testing.T, s *site, start func(*testing.T, *site) (head, worker *running)) (head, worker *running) {
	t.Helper()
	head, worker = start(t, s)
	require.ElementsMatch(t, []string{"head", "worker"}, s.alive(t))
	for _, r := range []*running{head, worker} {
		d := r.driver(t, "where.py")
		require.Equal(t, "head worker", d.line(t, "ran on"))
		require.Zero(t, d.result(t))
	}

	driver, _ := worker.busy(t)
	server := head.one(t, gcsServer)
	for _, p := range slices.Concat(worker.look(), head.look()) {
		environ, _ := os.ReadFile("/proc/" + itoa(p.pid) + "/environ")
		require.NotContains(t, string(environ), "NOTIFY_SOCKET", "inherited by %s", p)
	}
	killed := time.Now()
	require.NoError(t, syscall.Kill(server.pid, syscall.SIGKILL))
	worker.ends(t, 0, "head lost: gone: every connection refused for *")
	took := worker.end.Sub(killed)
	t.Logf("the worker ended %s after the head's GCS", took)
	require.Less(t, took, late())
	driver.end()
	head.ends(t, 70, "Ray failed: gcs_server ended with signal killed")
	t.Logf("the head ended %s after its GCS", head.end.Sub(killed))
	return head, worker
}

// workerFirst starts a worker, which waits for its head, then the head.
func workerFirst(t *testing.T, s *site) (head, worker *running) {
	t.Helper()
	h, w := s.member(t, "head", headRole, quickStop), s.member(t, "worker", workerRole)
	worker = w.start(t)
	worker.hears(t, "cannot reach head "+s.head+": connection refused")
	lab.Until(t, comes, "no Python runs while a worker waits", func() bool { return len(worker.look()) == 0 })
	require.Regexp(
		t, `^waiting: worker of lab, head `+s.head+`; cannot reach head .*: connection refused`, worker.status(),
	)
	head = h.start(t)
	arrives(t, head)
	arrives(t, worker)
	return head, worker
}

// headFirst is for a Ray older than 2.55, where a worker has the session folder of its head: on one
// machine the two must not start at the same time.
func headFirst(t *testing.T, s *site) (head, worker *running) {
	t.Helper()
	head = s.member(t, "head", headRole, quickStop).start(t)
	arrives(t, head)
	lab.Until(t, comes, "`ray start` has returned", func() bool {
		return !slices.ContainsFunc(head.look(), isRayStart)
	})
	worker = s.member(t, "worker", workerRole).start(t)
	arrives(t, worker)
	return head, worker
}

func isRayStart(p proc) bool {
	return regexp.MustCompile(rayStart).MatchString(p.line()) && p.state != "Z"
}

// arrives waits for a node's READY, which comes while `ray start` still runs: that one is held
// until then.
func arrives(t *testing.T, r *running) {
	t.Helper()
	var starts []proc
	lab.Until(t, comes, "`ray start` has started a raylet", func() bool {
		all := r.look()
		starts = slices.DeleteFunc(slices.Clone(all), func(p proc) bool { return !isRayStart(p) })
		return slices.ContainsFunc(all, func(p proc) bool { return regexp.MustCompile(raylet).MatchString(p.line()) })
	})
	for _, p := range starts {
		_ = unix.Kill(p.pid, unix.SIGSTOP)
	}
	ready := r.hears(t, "READY=1")
	require.Contains(t, ready.text, "STATUS=running: ")
	for _, p := range starts {
		_ = unix.Kill(p.pid, unix.SIGCONT)
	}
}
