//go:build ray

package ray

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// starts is a way to start a head and a worker.
type starts func(*testing.T, *site.Site) (head, worker *site.Running)

// TestLife is the life of a cluster from the worker's waiting to the death of the head's GCS.
func TestLife(t *testing.T) {
	for _, c := range []struct {
		version string
		start   starts
	}{
		{"2.60.0", workerFirst},
		{"2.40.0", headFirst},
		{"2.9.3", headFirst},
	} {
		t.Run(c.version, func(t *testing.T) {
			s := site.New(t, c.version)
			lives(t, s, c.start)
		})
	}
}

// TestLife_NoCgroup is the same where no cgroup can be made, as for an ordinary user: every
// descendant is killed one by one.
func TestLife_NoCgroup(t *testing.T) {
	s := site.New(t, "2.60.0")
	if os.Getuid() == 0 {
		s.Wrapper = []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs hidden /sys/fs/cgroup && exec "$0" "$@"`}
	}
	head, worker := lives(t, s, workerFirst)
	for _, r := range []*site.Running{head, worker} {
		require.Regexp(t, `; processes: none \(.*\): killing every descendant\n`, r.Log(t))
	}
}

// lives starts a head and a worker, looks at what they are to Ray and its programs, and kills the
// head's GCS.
func lives(t *testing.T, s *site.Site, start starts) (head, worker *site.Running) {
	t.Helper()
	head, worker = start(t, s)
	require.ElementsMatch(t, []string{"head", "worker"}, s.Alive(t))
	for _, r := range []*site.Running{head, worker} {
		d := r.Driver(t, "where.py")
		require.Equal(t, "head worker", d.Line(t, "ran on"))
		require.Zero(t, d.Result(t))
	}

	driver, _ := worker.Busy(t)
	server := head.Proc(t, site.GCSServer)
	for _, p := range slices.Concat(worker.Look(), head.Look()) {
		environ, _ := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/environ")
		require.NotContains(t, string(environ), "NOTIFY_SOCKET", "inherited by %s", p)
	}
	killed := time.Now()
	require.NoError(t, syscall.Kill(server.PID, syscall.SIGKILL))
	worker.Ends(t, 0, "head lost: gone: every connection refused for *")
	took := worker.End.Sub(killed)
	t.Logf("the worker ended %s after the head's GCS", took)
	require.Less(t, took, lab.Late())
	driver.End()
	head.Ends(t, 70, "Ray failed: gcs_server ended with signal killed")
	t.Logf("the head ended %s after its GCS", head.End.Sub(killed))
	return head, worker
}

// workerFirst starts a worker, which waits for its head, then the head.
func workerFirst(t *testing.T, s *site.Site) (head, worker *site.Running) {
	t.Helper()
	h, w := s.Member(t, "head", site.HeadRole, site.QuickStop), s.Member(t, "worker", site.WorkerRole)
	worker = w.Start(t)
	worker.Hears(t, "cannot reach head "+s.Head+": connection refused")
	lab.Until(t, lab.Patience, "no Python runs while a worker waits", func() bool { return len(worker.Look()) == 0 })
	require.Regexp(
		t, `^waiting: worker of lab, head `+s.Head+`; cannot reach head .*: connection refused`, worker.Status(),
	)
	head = h.Start(t)
	arrives(t, head)
	arrives(t, worker)
	return head, worker
}

// headFirst is for a Ray older than 2.55, where a worker has the session folder of its head: on one
// machine the two must not start at the same time.
func headFirst(t *testing.T, s *site.Site) (head, worker *site.Running) {
	t.Helper()
	head = s.Member(t, "head", site.HeadRole, site.QuickStop).Start(t)
	arrives(t, head)
	lab.Until(t, lab.Patience, "`ray start` has returned", func() bool {
		return !slices.ContainsFunc(head.Look(), isRayStart)
	})
	worker = s.Member(t, "worker", site.WorkerRole).Start(t)
	arrives(t, worker)
	return head, worker
}

func isRayStart(p site.Proc) bool {
	return regexp.MustCompile(site.RayStart).MatchString(p.Line()) && p.State != "Z"
}

// arrives waits for a node's READY, which comes while `ray start` still runs: that one is held
// until then.
func arrives(t *testing.T, r *site.Running) {
	t.Helper()
	var starts []site.Proc
	lab.Until(t, lab.Patience, "`ray start` has started a raylet", func() bool {
		all := r.Look()
		starts = slices.DeleteFunc(slices.Clone(all), func(p site.Proc) bool { return !isRayStart(p) })
		isRaylet := func(p site.Proc) bool { return regexp.MustCompile(site.Raylet).MatchString(p.Line()) }
		return slices.ContainsFunc(all, isRaylet)
	})
	for _, p := range starts {
		_ = unix.Kill(p.PID, unix.SIGSTOP)
	}
	ready := r.Hears(t, "READY=1")
	require.Contains(t, ready.Text, "STATUS=running: ")
	for _, p := range starts {
		_ = unix.Kill(p.PID, unix.SIGCONT)
	}
}
