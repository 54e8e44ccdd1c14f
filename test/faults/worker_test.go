//go:build systemd

package faults

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// hasty is a head that soon gives up a node that does not answer: after 3 s in place of a minute.
const hasty = `ray.system_config = { health_check_initial_delay_ms = 0, health_check_period_ms = 200,
    health_check_timeout_ms = 800,    health_check_failure_threshold = 3 }
`

// afterAgent is how a raylet ends whose agent has died: with exit code 0, unless it crashes on the
// way (Ray 2.60, seen once).
const afterAgent = "Ray failed: raylet ended with *"

// TestMatrix_Worker is what happens to a worker.
func TestMatrix_Worker(t *testing.T) {
	const second = time.Second
	asked := "asked to stop: terminated"
	stop := func(t *testing.T, try *trial) { try.Worker.Sh(t, "systemctl stop --no-block "+host.Unit) }
	dies := func(says string, least, most time.Duration) map[way]fates {
		f := fates{head: unharmed(), worker: restarted(70, says, least, most)}
		return map[way]fates{perJob: f, stands: f}
	}
	stuckStop := fates{
		head:   unharmed(),
		worker: broken(74, asked+"; 1 still there 10s after SIGKILL: * (ray::Trouble*, state D)", 13*second, 15*second),
	}
	stuckLoss := fates{
		head: restarted(70, "Ray failed: gcs_server ended with signal killed", 0, second),
		worker: broken(
			74, "head lost: gone: *; 1 still there 10s after SIGKILL: * (ray::Trouble*, state D)", 10500*time.Millisecond,
			12*second,
		),
	}
	runCells(t, []cell{
		{
			fault: "a worker's raylet is killed", core: true,
			do:   func(t *testing.T, try *trial) { try.Worker.Signal(t, "KILL", "raylet") },
			undo: rejoined,
			want: dies("Ray failed: raylet ended with signal killed*", 0, second),
		}, {
			fault: "a worker's raylet crashes",
			do:    func(t *testing.T, try *trial) { try.Worker.Signal(t, "SEGV", "raylet") },
			undo:  rejoined,
			want:  dies("Ray failed: raylet ended with signal segmentation fault*: *** SIGSEGV received at *", 0, 2*second),
		}, {
			fault: "a worker's raylet is stopped (SIGSTOP)", head: hasty, worker: "watchdog.check_interval = \"500ms\"\n",
			do:   func(t *testing.T, try *trial) { try.Worker.Signal(t, "STOP", "raylet") },
			undo: rejoined,
			want: dies(
				"Ray failed: the head says that this node is dead: the GCS says node * is dead: health check failed due to "+
					"missing too many heartbeats",
				2*second, 5*second,
			),
		}, {
			fault: "the GCS cannot reach a worker's raylet, which lives, and declares the node dead", head: hasty,
			do: func(t *testing.T, try *trial) { try.Worker.Filter(t, deafRaylet(t, try)) },
			undo: func(t *testing.T, try *trial) {
				try.Worker.Filter(t, "")
				rejoined(t, try)
			},
			want: dies("Ray failed: * dead*", 2*second, 8*second),
		}, {
			fault: "a worker's dashboard agent is killed", core: true,
			do:   func(t *testing.T, try *trial) { try.Worker.Signal(t, "KILL", "ray::DashboardAgent") },
			undo: rejoined,
			want: dies(afterAgent, 0, 2*second),
		}, {
			fault: "a worker's runtime-env agent is killed",
			do:    func(t *testing.T, try *trial) { try.Worker.Signal(t, "KILL", "ray::RuntimeEnvAgent") },
			undo:  rejoined,
			want:  dies(afterAgent, 0, 2*second),
		}, {
			fault: "an actor is killed for its memory (the kernel's OOM killer)", core: true,
			prepare: func(t *testing.T, try *trial) { try.trouble(t, "hungry") },
			do:      starve,
			undo: func(t *testing.T, try *trial) {
				try.Worker.Sh(t, "rmdir /tmp/memory/small; umount /tmp/memory; rmdir /tmp/memory")
			},
			want: map[way]fates{
				perJob: {head: unharmed(), worker: unharmed()},
				stands: {head: unharmed(), worker: unharmed()},
			},
		}, {
			fault: "a worker is stopped whose actor ignores SIGTERM",
			prepare: func(t *testing.T, try *trial) {
				try.StartBoth(t)
				try.driver, try.family = try.Busy(t, "deaf")
			},
			do: stop,
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 3*second, 4*second)},
				stands: {head: unharmed(), worker: inactive(asked, 3*second, 4*second)},
			},
		}, {
			fault:   "a worker is stopped whose actor hangs in the kernel",
			prepare: hangs,
			do: func(t *testing.T, try *trial) {
				stop(t, try)
				stays(t, try)
			},
			undo: letGo,
			want: map[way]fates{perJob: stuckStop, stands: stuckStop},
		}, {
			fault:   "the head's GCS is killed while an actor of the worker hangs in the kernel",
			prepare: hangs,
			do: func(t *testing.T, try *trial) {
				try.Head.Signal(t, "KILL", "gcs_server")
				stays(t, try)
			},
			undo: letGo,
			want: map[way]fates{perJob: stuckLoss, stands: stuckLoss},
		}, {
			fault:   "a worker is stopped under a fork storm that ignores SIGTERM",
			prepare: func(t *testing.T, try *trial) { try.StartBoth(t) },
			do: func(t *testing.T, try *trial) {
				storm(t, try)
				stop(t, try)
			},
			want: map[way]fates{
				perJob: {head: unharmed(), worker: inactive(asked, 3*second, 5*second)},
				stands: {head: unharmed(), worker: inactive(asked, 3*second, 5*second)},
			},
		}, {
			fault:   "the head's GCS is killed under a fork storm on the worker",
			prepare: func(t *testing.T, try *trial) { try.StartBoth(t) },
			do: func(t *testing.T, try *trial) {
				storm(t, try)
				try.Head.Signal(t, "KILL", "gcs_server")
			},
			want: map[way]fates{
				perJob: {
					head:   restarted(70, "Ray failed: gcs_server ended with signal killed", 0, 2*second),
					worker: inactive("head lost: gone: *", 500*time.Millisecond, 2500*time.Millisecond),
				},
				stands: {
					head:   restarted(70, "Ray failed: gcs_server ended with signal killed", 0, 2*second),
					worker: rewaits("head lost: gone: *", 500*time.Millisecond, 2500*time.Millisecond),
				},
			},
		},
	})
}

// rejoined waits until what systemd has started anew is in the cluster.
func rejoined(t *testing.T, try *trial) {
	t.Helper()
	if !t.Failed() {
		try.Await(t)
	}
}

// trouble starts both hosts and one of the actors of trouble.py.
func (try *trial) trouble(t *testing.T, kind ...string) {
	t.Helper()
	try.StartBoth(t)
	try.driver = try.Head.Program(t, "raynoded", "role", "trouble.py", append([]string{try.Worker.Name}, kind...)...)
	var pid int
	_, err := fmt.Sscan(host.Says(t, try.driver, "pids"), &pid)
	require.NoError(t, err)
	try.family = []int{pid}
}

// deafRaylet is a firewall that keeps the head from asking the worker's raylet, while all that the
// worker asks is answered.
func deafRaylet(t *testing.T, try *trial) string {
	t.Helper()
	raylet := try.Worker.ProcIn(t, host.Unit, "raylet")
	ports := try.Worker.Sh(
		t,
		fmt.Sprintf(`ss -Htlnp | sed -n 's/.*:\([0-9]*\) .*pid=%d,.*/\1/p' | sort -u | paste -sd,`, raylet.Pid),
	)
	return fmt.Sprintf(
		"table ip deaf { chain in { type filter hook input priority 0; ip saddr %s tcp dport { %s } drop; }; }",
		try.Head.Address, ports,
	)
}

// starve gives the actor a cgroup in which the kernel runs out of memory, and returns when Ray has
// noticed its end and goes on.
func starve(t *testing.T, try *trial) {
	actor := try.family[0]
	try.Worker.Sh(t, `mkdir /tmp/memory && mount -t cgroup -o memory none /tmp/memory && mkdir /tmp/memory/small
		echo 400M >/tmp/memory/small/memory.limit_in_bytes`)
	try.Worker.Sh(t, fmt.Sprintf("echo %d >/tmp/memory/small/cgroup.procs", actor))
	require.NotZero(t, try.driver.Wait(t, lab.Patience), "its driver hears of it")
	require.Regexp(
		t, "Actor(Died|Unavailable)Error", try.driver.Output(),
		"the second where the GCS has not said within 1 s that it died",
	)
	require.Contains(t, try.Worker.Get(t, "/tmp/memory/small/memory.oom_control"), "\noom_kill 1\n")
	try.family = nil
	again := try.Head.Program(t, "raynoded", "role", "where.py")
	require.Equal(t, "on a b", host.Says(t, again, "ran"))
	require.Zero(t, again.Wait(t, lab.Patience))
}

// hangs starts an actor that is stuck in the kernel.
func hangs(t *testing.T, try *trial) {
	try.Worker.Sh(t, "[ -e /dev/fuse ] || mknod /dev/fuse c 10 229")
	try.Worker.Copy(t, lab.File(t, "test/programs/hung.py"), "/srv/hung.py", "644")
	server := try.Worker.Start(t, "/opt/ray/bin/python3", "/srv/hung.py", "/srv/hung")
	host.Says(t, server, "mounted")
	try.trouble(t, "stuck", "/srv/hung/file")
	host.Says(t, server, "holds")
}

// stays waits until systemd has given up, too, and then ends what the actor hangs on.
func stays(t *testing.T, try *trial) {
	try.Worker.Await(t, host.Unit, host.State{"ActiveState": "failed"})
	stuck := pick(try.Worker.Procs(t), try.family)
	require.Len(t, stuck, 1, "the actor is still there")
	require.Equal(t, "D", stuck[0].State)
	letGo(t, try)
	lab.Until(t, lab.Patience, "the actor has ended", func() bool { return len(try.Worker.ProcsIn(t, host.Unit)) == 0 })
}

// letGo ends the file system that never answers, if it is there.
func letGo(t *testing.T, try *trial) {
	for _, p := range try.Worker.Procs(t) {
		if slices.Contains(p.Args, "/srv/hung.py") {
			try.Worker.Sh(t, fmt.Sprintf("kill -KILL %d", p.Pid))
		}
	}
	lab.Until(t, lab.Patience, "it is no longer mounted", func() bool {
		return try.Worker.Run(t, "! grep -q ' /srv/hung ' /proc/mounts || umount /srv/hung").Code == 0
	})
}

// storm starts the fork storm and sets the beginning of the fault to when it rages.
func storm(t *testing.T, try *trial) {
	try.trouble(t, "storm")
	seen := map[int]bool{}
	lab.Until(t, lab.Patience, "processes come and go", func() bool {
		for _, p := range try.Worker.ProcsIn(t, host.Unit) {
			if slices.Contains(p.Args, "-S") {
				seen[p.Pid] = true
			}
		}
		return len(seen) > 100
	})
	try.began = host.Clock(t)
}
