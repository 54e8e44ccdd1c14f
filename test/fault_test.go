//go:build ray

package test

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

	"github.com/raynoded/raynoded/test/lab"
)

// TestFault has one head, on which one worker after the other comes to harm. The head goes on.
func TestFault(t *testing.T) {
	s := newSite(t, "2.60.0")
	head := s.member(t, "head", headRole, quickStop).start(t)
	head.ready(t)
	worker := func(t *testing.T, more ...string) *running {
		t.Helper()
		r := s.member(t, path.Base(t.Name()), workerRole, more...).start(t)
		r.ready(t)
		return r
	}

	t.Run("Raylet", func(t *testing.T) {
		r := worker(t)
		r.busy(t)
		kill(t, r.one(t, raylet), unix.SIGKILL)
		r.ends(t, 70, "Ray failed: raylet ended with signal killed*")
	})
	t.Run("Agent", func(t *testing.T) {
		r := worker(t, `watchdog.check_interval = "10m"`) // the raylet tells the GCS before it exits
		kill(t, r.one(t, `^ray::DashboardAgent`), unix.SIGKILL)
		r.ends(t, 70, "Ray failed: raylet ended with *") // exit code 0, unless it crashes on the way
	})
	t.Run("Drained", func(t *testing.T) {
		r := worker(t)
		drain := exec.Command(s.bin, "drain-node", "--address="+s.head, "--node-id="+nodeID(t, r),
			"--reason=DRAIN_NODE_REASON_PREEMPTION", "--reason-message=maintenance", "--deadline-remaining-seconds=60")
		drain.Env = []string{
			byTest,
			"PATH=/usr/bin:/bin",
			"HOME=" + r.path("home"),
			"RAY_USAGE_STATS_ENABLED=0",
			"RAY_AUTH_MODE=disabled",
		}
		r.look()
		out, err := drain.CombinedOutput()
		require.NoError(t, err, "%s", out)
		r.ends(t, 0, "the node was drained away by someone: *")
	})
	t.Run("Crash", func(t *testing.T) {
		r := worker(t)
		kill(t, r.one(t, raylet), unix.SIGSEGV)
		r.ends(t, 70, "Ray failed: raylet ended with signal *: *** SIGSEGV received at *")
	})
	t.Run("StopBusy", func(t *testing.T) {
		r := worker(t, `stop.grace = "30s"`)
		r.busy(t)
		took := r.stop(t)
		t.Logf("stopped in %s", took)
		require.Less(t, took, 15*time.Second, "who obeys SIGTERM needs no grace")
	})
	t.Run("StopDeaf", func(t *testing.T) {
		r := worker(t, `stop.grace = "3s"`)
		r.busy(t)
		r.busy(t, "deaf")
		took := r.stop(t)
		t.Logf("stopped in %s", took)
		require.Greater(t, took, 2*time.Second, "who ignores SIGTERM has the grace")
		require.Less(t, took, 3*time.Second+late())
	})
	t.Run("StopStarting", func(t *testing.T) {
		r := s.member(t, "starting", workerRole).start(t)
		lab.Until(t, comes, "`ray start` runs", func() bool { return slices.ContainsFunc(r.look(), isRayStart) })
		t.Logf("stopped in %s", r.stop(t))
	})
	t.Run("Degraded", func(t *testing.T) {
		why := "degraded: log_monitor ended with signal killed"
		kill(t, head.one(t, logMonitor), unix.SIGKILL)
		head.says(t, " error: "+why+"\n")
		why += ", dashboard ended with signal killed"
		kill(t, head.one(t, dashboard), unix.SIGKILL)
		head.says(t, " error: "+why+"\n")
		require.Regexp(t, "^running: head of lab at .*; "+regexp.QuoteMeta(why)+"$", head.hears(t, why).status())
		r := worker(t)
		lab.Until(t, comes, "the GCS lists none of the dead", func() bool { return len(s.alive(t)) == 2 })
		require.Equal(t, "Degraded head", r.driver(t, "where.py").line(t, "ran on"))
		r.stop(t)
	})
	t.Run("Stuck", func(t *testing.T) {
		r := worker(t, `watchdog.stuck = "6s"
watchdog.check_interval = "500ms"`)
		_, family := r.busy(t)
		raylets := r.one(t, raylet)
		server := head.one(t, gcsServer)
		kill(t, server, unix.SIGSTOP)
		defer func() { _ = syscall.Kill(server.pid, unix.SIGCONT) }()
		r.hears(t, "; head does not answer: reachable, but no answer for ")
		kill(t, server, unix.SIGCONT)
		r.says(t, "the head answers again")
		for _, p := range append(family, raylets) {
			require.True(t, p.living(), "a moment without answers is nobody's end: %s", p)
		}
		require.NoError(t, r.cmd.Process.Signal(syscall.Signal(0)))

		stopped := time.Now()
		kill(t, server, unix.SIGSTOP)
		r.ends(t, 0, "head lost: stuck: reachable, but no answer for *s: *")
		took := r.end.Sub(stopped)
		t.Logf("ended %s after the GCS was stopped", took)
		require.Greater(t, took, 6*time.Second)
		require.Less(t, took, 6*time.Second+late())
	})
	// Without systemd, who kills raynoded itself leaves Ray behind. The next one ends what the first
	// had started itself; what this leaves is only told here.
	t.Run("Killed", func(t *testing.T) {
		m := s.member(t, "killed", workerRole)
		r := m.start(t)
		r.ready(t)
		r.busy(t)
		family := r.look()
		require.NoError(t, r.cmd.Process.Kill())
		<-r.ended
		again := m.start(t)
		again.says(t, ", which an earlier raynoded left behind")
		again.ready(t)
		for _, p := range family {
			if p.living() {
				t.Logf("left: %.100s", p)
				_ = syscall.Kill(p.pid, unix.SIGKILL)
			}
		}
		lab.Until(t, comes, "the killed are gone", func() bool { return !slices.ContainsFunc(family, proc.living) })
		again.stop(t)
	})
	require.True(t, head.lives())
	for _, p := range head.look() {
		require.NotEqual(t, "Z", p.state, "not reaped: %s", p)
	}
	head.stop(t)
}

// TestHeadLost_Starting is a head that goes away while `ray start` of a worker runs, which itself
// would try for minutes.
func TestHeadLost_Starting(t *testing.T) {
	s := newSite(t, "2.60.0")
	head := s.member(t, "head", headRole, quickStop).start(t)
	head.ready(t)
	worker := s.member(t, "worker", workerRole).start(t)
	lab.Until(t, comes, "`ray start` runs", func() bool { return slices.ContainsFunc(worker.look(), isRayStart) })
	kill(t, head.one(t, gcsServer), unix.SIGKILL)
	worker.wait(t, 15*time.Second)
	worker.ends(t, 69, "the head cannot be reached: it went away while this node joined: *")
	head.ends(t, 70, "Ray failed: gcs_server ended with signal killed")
}

// TestDeclaredDead has workers that their GCS holds for dead while their raylet still lives.
func TestDeclaredDead(t *testing.T) {
	s := newSite(t, "2.60.0")
	head := s.member(t, "head", headRole, quickStop, `[ray.system_config]
health_check_initial_delay_ms = 0
health_check_period_ms = 200
health_check_timeout_ms = 1600
health_check_failure_threshold = 3
`).start(t)
	head.ready(t)
	t.Run("RayletHangs", func(t *testing.T) {
		r := s.member(t, "hangs", workerRole, `watchdog.check_interval = "500ms"`, quickStop).start(t)
		r.ready(t)
		id, stopped := nodeID(t, r), time.Now()
		kill(t, r.one(t, raylet), unix.SIGSTOP)
		r.ends(
			t, 70,
			"Ray failed: the head says that this node is dead: the GCS says node "+id+" is dead: health check failed due to "+
				"missing too many heartbeats",
		)
		t.Logf("ended %s after the raylet was stopped", r.end.Sub(stopped))
	})
	t.Run("RayletHears", func(t *testing.T) {
		r := s.member(t, "hears", workerRole, `watchdog.check_interval = "10m"`, quickStop).start(t)
		r.ready(t)
		p := r.one(t, raylet)
		kill(t, p, unix.SIGSTOP)
		lab.Until(t, comes, "the GCS lists the node no longer", func() bool { return len(s.alive(t)) == 1 })
		kill(t, p, unix.SIGCONT)
		r.ends(
			t, 70,
			"Ray failed: raylet ended with exit code 1: *mistakenly been marked as dead by the GCS: GCS failed to check the "+
				"health of this node for 3 times. *",
		)
	})
	head.stop(t)
}

func kill(t *testing.T, p proc, signal syscall.Signal) {
	t.Helper()
	require.True(t, p.living(), "%s", p)
	require.NoError(t, syscall.Kill(p.pid, signal))
}

func TestPorts_Taken(t *testing.T) {
	s := newSite(t, "2.60.0")
	h := s.member(t, "head", headRole)
	taken := func(address string) (port string) {
		l, err := net.Listen("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		_, port, err = net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		return port
	}
	port, manager := taken(s.head), taken(h.ip+":0")
	h.write(t, h.role()+".d/ports.toml", "ray.ports.node_manager = "+manager)
	const advice = " is taken by another program: stop that one (ss -ltnp shows it) or choose another port"
	h.startsNothing(t, 71, "this host is not fit: cluster.head: port "+port+" of "+h.ip+advice+
		"\nthis host is not fit: ray.ports.node_manager: port "+manager+" of "+h.ip+advice)
}
