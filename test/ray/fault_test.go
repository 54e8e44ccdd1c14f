//go:build ray

package ray

import (
	"net"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// TestFault has one head, on which one worker after the other comes to harm. The head goes on.
func TestFault(t *testing.T) {
	s := site.New(t, "2.60.0")
	head := s.Member(t, "head", site.HeadRole, site.QuickStop).Start(t)
	head.Ready(t)
	worker := func(t *testing.T, more ...string) *site.Running {
		t.Helper()
		r := s.Member(t, path.Base(t.Name()), site.WorkerRole, more...).Start(t)
		r.Ready(t)
		return r
	}

	t.Run("Raylet", func(t *testing.T) {
		r := worker(t)
		r.Busy(t)
		kill(t, r.Proc(t, site.Raylet), unix.SIGKILL)
		r.Ends(t, 70, "Ray failed: raylet ended with signal killed*")
	})
	t.Run("Agent", func(t *testing.T) {
		r := worker(t, `watchdog.check_interval = "10m"`) // the raylet tells the GCS before it exits
		kill(t, r.Proc(t, `^ray::DashboardAgent`), unix.SIGKILL)
		r.Ends(t, 70, "Ray failed: raylet ended with *") // exit code 0, unless it crashes on the way
	})
	t.Run("Drained", func(t *testing.T) {
		r := worker(t)
		drain := exec.Command(s.Bin, "drain-node", "--address="+s.Head, "--node-id="+site.NodeID(t, r),
			"--reason=DRAIN_NODE_REASON_PREEMPTION", "--reason-message=maintenance", "--deadline-remaining-seconds=60")
		drain.Env = []string{
			site.ByTest,
			"PATH=/usr/bin:/bin",
			"HOME=" + r.Path("home"),
			"RAY_USAGE_STATS_ENABLED=0",
			"RAY_AUTH_MODE=disabled",
		}
		r.Look()
		out, err := drain.CombinedOutput()
		require.NoError(t, err, "%s", out)
		r.Ends(t, 0, "the node was drained away by someone: *")
	})
	t.Run("Crash", func(t *testing.T) {
		r := worker(t)
		kill(t, r.Proc(t, site.Raylet), unix.SIGSEGV)
		r.Ends(t, 70, "Ray failed: raylet ended with signal *: *** SIGSEGV received at *")
	})
	t.Run("StopBusy", func(t *testing.T) {
		r := worker(t, `stop.grace = "30s"`)
		r.Busy(t)
		took := r.Stop(t)
		t.Logf("stopped in %s", took)
		require.Less(t, took, 15*time.Second, "who obeys SIGTERM needs no grace")
	})
	t.Run("StopDeaf", func(t *testing.T) {
		r := worker(t, `stop.grace = "3s"`)
		r.Busy(t)
		r.Busy(t, "deaf")
		took := r.Stop(t)
		t.Logf("stopped in %s", took)
		require.Greater(t, took, 2*time.Second, "who ignores SIGTERM has the grace")
		require.Less(t, took, 3*time.Second+lab.Late())
	})
	t.Run("StopStarting", func(t *testing.T) {
		r := s.Member(t, "starting", site.WorkerRole).Start(t)
		lab.Until(t, lab.Patience, "`ray start` runs", func() bool { return slices.ContainsFunc(r.Look(), isRayStart) })
		t.Logf("stopped in %s", r.Stop(t))
	})
	t.Run("Degraded", func(t *testing.T) {
		why := "degraded: log_monitor ended with signal killed"
		kill(t, head.Proc(t, site.LogMonitor), unix.SIGKILL)
		head.Says(t, " error: "+why+"\n")
		why += ", dashboard ended with signal killed"
		kill(t, head.Proc(t, site.Dashboard), unix.SIGKILL)
		head.Says(t, " error: "+why+"\n")
		require.Regexp(t, "^running: head of lab at .*; "+regexp.QuoteMeta(why)+"$", head.Hears(t, why).Status())
		r := worker(t)
		lab.Until(t, lab.Patience, "the GCS lists none of the dead", func() bool { return len(s.Alive(t)) == 2 })
		require.Equal(t, "Degraded head", r.Driver(t, "where.py").Line(t, "ran on"))
		r.Stop(t)
	})
	t.Run("Stuck", func(t *testing.T) {
		r := worker(t, `watchdog.stuck = "6s"
watchdog.check_interval = "500ms"`)
		_, family := r.Busy(t)
		raylets := r.Proc(t, site.Raylet)
		server := head.Proc(t, site.GCSServer)
		kill(t, server, unix.SIGSTOP)
		defer func() { _ = syscall.Kill(server.PID, unix.SIGCONT) }()
		r.Hears(t, "; head does not answer: reachable, but no answer for ")
		kill(t, server, unix.SIGCONT)
		r.Says(t, "the head answers again")
		for _, p := range append(family, raylets) {
			require.True(t, p.Living(), "a moment without answers is nobody's end: %s", p)
		}
		require.NoError(t, r.Cmd.Process.Signal(syscall.Signal(0)))

		stopped := time.Now()
		kill(t, server, unix.SIGSTOP)
		r.Ends(t, 0, "head lost: stuck: reachable, but no answer for *s: *")
		took := r.End.Sub(stopped)
		t.Logf("ended %s after the GCS was stopped", took)
		require.Greater(t, took, 6*time.Second)
		require.Less(t, took, 6*time.Second+lab.Late())
	})
	// Without systemd, who kills raynoded itself leaves Ray behind. The next one ends what the first
	// had started itself; what this leaves is only told here.
	t.Run("Killed", func(t *testing.T) {
		m := s.Member(t, "killed", site.WorkerRole)
		r := m.Start(t)
		r.Ready(t)
		r.Busy(t)
		family := r.Look()
		require.NoError(t, r.Cmd.Process.Kill())
		<-r.Ended
		again := m.Start(t)
		again.Says(t, ", which an earlier raynoded left behind")
		again.Ready(t)
		for _, p := range family {
			if p.Living() {
				t.Logf("left: %.100s", p)
				_ = syscall.Kill(p.PID, unix.SIGKILL)
			}
		}
		gone := func() bool { return !slices.ContainsFunc(family, site.Proc.Living) }
		lab.Until(t, lab.Patience, "the killed are gone", gone)
		again.Stop(t)
	})
	require.True(t, head.Lives())
	for _, p := range head.Look() {
		require.NotEqual(t, "Z", p.State, "not reaped: %s", p)
	}
	head.Stop(t)
}

// TestHeadLost_Starting is a head that goes away while `ray start` of a worker runs, which itself
// would try for minutes.
func TestHeadLost_Starting(t *testing.T) {
	s := site.New(t, "2.60.0")
	head := s.Member(t, "head", site.HeadRole, site.QuickStop).Start(t)
	head.Ready(t)
	worker := s.Member(t, "worker", site.WorkerRole).Start(t)
	lab.Until(t, lab.Patience, "`ray start` runs", func() bool { return slices.ContainsFunc(worker.Look(), isRayStart) })
	kill(t, head.Proc(t, site.GCSServer), unix.SIGKILL)
	worker.Wait(t, 15*time.Second)
	worker.Ends(t, 69, "the head cannot be reached: it went away while this node joined: *")
	head.Ends(t, 70, "Ray failed: gcs_server ended with signal killed")
}

// TestDeclaredDead has workers that their GCS holds for dead while their raylet still lives.
func TestDeclaredDead(t *testing.T) {
	s := site.New(t, "2.60.0")
	head := s.Member(t, "head", site.HeadRole, site.QuickStop, `[ray.system_config]
health_check_initial_delay_ms = 0
health_check_period_ms = 200
health_check_timeout_ms = 1600
health_check_failure_threshold = 3
`).Start(t)
	head.Ready(t)
	t.Run("RayletHangs", func(t *testing.T) {
		r := s.Member(t, "hangs", site.WorkerRole, `watchdog.check_interval = "500ms"`, site.QuickStop).Start(t)
		r.Ready(t)
		id, stopped := site.NodeID(t, r), time.Now()
		kill(t, r.Proc(t, site.Raylet), unix.SIGSTOP)
		r.Ends(
			t, 70,
			"Ray failed: the head says that this node is dead: the GCS says node "+id+" is dead: health check failed due to "+
				"missing too many heartbeats",
		)
		t.Logf("ended %s after the raylet was stopped", r.End.Sub(stopped))
	})
	t.Run("RayletHears", func(t *testing.T) {
		r := s.Member(t, "hears", site.WorkerRole, `watchdog.check_interval = "10m"`, site.QuickStop).Start(t)
		r.Ready(t)
		p := r.Proc(t, site.Raylet)
		kill(t, p, unix.SIGSTOP)
		lab.Until(t, lab.Patience, "the GCS lists the node no longer", func() bool { return len(s.Alive(t)) == 1 })
		kill(t, p, unix.SIGCONT)
		r.Ends(
			t, 70,
			"Ray failed: raylet ended with exit code 1: *mistakenly been marked as dead by the GCS: GCS failed to check the "+
				"health of this node for 3 times. *",
		)
	})
	head.Stop(t)
}

func kill(t *testing.T, p site.Proc, signal syscall.Signal) {
	t.Helper()
	require.True(t, p.Living(), "%s", p)
	require.NoError(t, syscall.Kill(p.PID, signal))
}

func TestPorts_Taken(t *testing.T) {
	s := site.New(t, "2.60.0")
	h := s.Member(t, "head", site.HeadRole)
	taken := func(address string) (port string) {
		l, err := net.Listen("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		_, port, err = net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		return port
	}
	port, manager := taken(s.Head), taken(h.IP+":0")
	h.Write(t, h.RoleFile()+".d/ports.toml", "ray.ports.node_manager = "+manager)
	const advice = " is taken by another program: stop that one (ss -ltnp shows it) or choose another port"
	startsNothing(t, h, 71, "this host is not fit: cluster.head: port "+port+" of "+h.IP+advice+
		"\nthis host is not fit: ray.ports.node_manager: port "+manager+" of "+h.IP+advice)
}
