package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRun_WorkerThatRuns(t *testing.T) {
	t.Parallel()
	// A GCS that dies may take a last connection.
	const lost = "head lost: gone: every connection refused for *: cannot * head $HEAD*"
	cases := []struct {
		name    string
		fakeray string
		more    string
		do      func(h *testHost, p *process, gcs *exec.Cmd)
		code    int
		reason  string
	}{
		{
			name: "asked to stop", fakeray: "actor",
			do:   func(_ *testHost, p *process, _ *exec.Cmd) { p.signal(syscall.SIGTERM) },
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "grace is over", fakeray: "actor,ignore-term", more: `stop.grace = "200ms"`,
			do:   func(_ *testHost, p *process, _ *exec.Cmd) { p.signal(syscall.SIGTERM) },
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "in a hurry", fakeray: "actor,ignore-term", more: `stop.grace = "10m"`,
			do: func(_ *testHost, p *process, _ *exec.Cmd) {
				p.signal(syscall.SIGINT)
				p.until(" stopping")
				p.signal(syscall.SIGINT)
			},
			code: 0, reason: "asked to stop: interrupt",
		},
		{
			name: "hang-up without a terminal", do: func(_ *testHost, p *process, _ *exec.Cmd) {
				p.signal(syscall.SIGHUP)
				p.signal(syscall.SIGTERM)
			},
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "drained with nothing to do", more: `stop.drain = "10m"`,
			do:   func(_ *testHost, p *process, _ *exec.Cmd) { p.signal(syscall.SIGTERM) },
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "drain is over", fakeray: "actor", more: `stop.drain = "300ms"`,
			do: func(_ *testHost, p *process, _ *exec.Cmd) {
				p.signal(syscall.SIGTERM)
				p.until(" draining: asked to stop: terminated")
				p.until(" no longer draining: time is up")
			},
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "drain in a hurry", fakeray: "actor", more: `stop.drain = "10m"`,
			do: func(_ *testHost, p *process, _ *exec.Cmd) {
				p.signal(syscall.SIGTERM)
				p.until(" no new work until ")
				p.signal(syscall.SIGTERM)
			},
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "head lost while draining, the grace does not count", fakeray: "actor,ignore-term",
			more: "stop = { drain = \"10m\", grace = \"10m\" }",
			do: func(_ *testHost, p *process, gcs *exec.Cmd) {
				p.signal(syscall.SIGTERM)
				p.until(" no new work until ")
				stop(gcs)
				p.until(" no longer draining: head lost: gone: ")
			},
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "head lost just before it is to drain", fakeray: "actor", more: `stop.drain = "10m"
watchdog.refused = "10m"`, do: func(_ *testHost, p *process, gcs *exec.Cmd) {
				stop(gcs)
				p.signal(syscall.SIGTERM)
				p.until(" no longer draining: cannot reach head ")
				p.signal(syscall.SIGTERM)
			},
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "a persistent head is away for too long", fakeray: "actor",
			more: "cluster.persistent_head = true\nwatchdog.head_return = \"2s\"",
			do:   func(_ *testHost, _ *process, gcs *exec.Cmd) { stop(gcs) },
			code: 0, reason: "head lost: gone: every connection refused for *s: *",
		},
		{
			name: "the raylet dies while a persistent head is away", fakeray: "actor", more: "cluster.persistent_head = true",
			do: func(h *testHost, p *process, gcs *exec.Cmd) {
				stop(gcs)
				p.until(" head does not answer: ")
				h.tell("raylet", syscall.SIGUSR1)
			},
			code: 70, reason: "Ray failed: raylet ended with exit code 3: no more shared memory",
		},
		{
			name: "the raylet dies of another head in a persistent one's place", fakeray: "actor",
			more: "cluster.persistent_head = true\nwatchdog.check_interval = \"10m\"",
			do: func(h *testHost, p *process, gcs *exec.Cmd) {
				stop(gcs)
				h.gcs()
				h.tell("raylet", syscall.SIGUSR1)
			},
			code: 0, reason: "head lost: another: another cluster answers in its place: *",
		},
		{
			name: "head lost", fakeray: "actor", do: func(_ *testHost, _ *process, gcs *exec.Cmd) { stop(gcs) }, code: 0,
			reason: lost,
		},
		{
			name: "head lost, the grace does not count", fakeray: "actor,ignore-term", more: `stop.grace = "10m"`,
			do:   func(_ *testHost, _ *process, gcs *exec.Cmd) { stop(gcs) },
			code: 0, reason: lost,
		},
		{
			name: "another head in its place", fakeray: "actor", more: `watchdog.refused = "10m"`,
			do: func(h *testHost, _ *process, gcs *exec.Cmd) {
				stop(gcs)
				h.gcs()
			},
			code:   0,
			reason: "head lost: another: another cluster answers in its place: $HEAD is now cluster *, this node joined *",
		},
		{
			name: "the raylet crashes", fakeray: "actor",
			do:   func(h *testHost, _ *process, _ *exec.Cmd) { h.tell("raylet", syscall.SIGUSR1) },
			code: 70, reason: "Ray failed: *raylet ended with exit code 3: no more shared memory",
		},
		{
			name: "the raylet is killed", fakeray: "actor",
			do:   func(h *testHost, _ *process, _ *exec.Cmd) { h.tell("raylet", syscall.SIGKILL) },
			code: 70, reason: "Ray failed: *raylet ended with signal killed",
		},
		{
			name: "drained", fakeray: "actor",
			do:   func(h *testHost, _ *process, _ *exec.Cmd) { h.tell("raylet", syscall.SIGUSR2) },
			code: 0, reason: "the node was drained away by someone: idle for long enough",
		},
		{
			// It was a success, and the training was short of a node.
			name: "somebody runs ray stop", fakeray: "actor", more: `watchdog.check_interval = "10m"`,
			do:   func(h *testHost, _ *process, _ *exec.Cmd) { h.tell("raylet", syscall.SIGTERM) },
			code: 70,
			reason: "Ray failed: *: it got a SIGTERM that raynoded did not send: " +
				"did somebody run `ray stop`?",
		},
		{
			name: "a launcher ends all of its processes", fakeray: "actor",
			do: func(h *testHost, p *process, _ *exec.Cmd) {
				h.tell("raylet", syscall.SIGTERM)
				p.signal(syscall.SIGTERM)
			},
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "disowned", fakeray: "actor",
			do:     func(h *testHost, _ *process, _ *exec.Cmd) { h.tell("raylet", syscall.SIGHUP) },
			code:   70,
			reason: "Ray failed: the head says that this node is dead: the GCS says node * is dead: health check failed",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole, c.more).with("FAKERAY=" + c.fakeray)
			gcs := h.gcs()
			p := h.run()
			p.until(" running")
			c.do(h, p, gcs)
			h.ends(p, c.code, c.reason)
		})
	}
}

// A former entry of this host must not count as this start: before Ray 2.40 the raylet's id is not
// in its command line.
func TestRun_WorkerOfEveryRay(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2.9.3", "2.40.0", "2.60.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole).with("FAKERAY_VERSION=" + version)
			gcs := h.gcs("FAKERAY_VERSION=" + version)
			h.node("gpu-002", 4)
			p := h.run()
			p.until(" running")
			h.tell("raylet", syscall.SIGHUP) // only a node that found itself sees that it is disowned
			if version == "2.60.0" {
				h.ends(p, 70, "Ray failed: the head says that this node is dead: *")
				return
			}
			stop(gcs)
			h.ends(p, 0, "head lost: gone: *")
		})
	}
}

func TestRun_WorkerStopsInOrder(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	h.gcs()
	p := h.run()
	p.until(" running")
	h.settled()
	h.alive("log_monitor")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	require.Equal(t, []string{"raylet", "log_monitor"}, h.farewells())
}

// A standing worker waits for the next head after the first is gone, and it is another start of Ray
// that joins it.
func TestRun_StandingWorker(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, standing).with("FAKERAY=actor")
	gcs := h.gcs()
	p := h.run()
	p.until(" running")
	first := h.one("raylet")
	stop(gcs)
	require.Contains(t, p.until(" stopping"), "head lost: gone:")
	p.until(" waiting")
	require.NoFileExists(t, h.path("run", "ray.env"))
	for _, left := range h.started() {
		require.False(t, left.Alive(), left.Program)
	}
	h.gcs()
	p.until(" running")
	require.NotEqual(t, first.PID, h.one("raylet").PID)
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

func TestRun_RayEnv(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, `auth = { mode = "token", token_file = "$DIR/token" }`)
	h.write(h.dir+"/token", "hush-hush-1\n")
	h.gcs("RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=$DIR/token")
	p := h.run()
	p.until(" running")
	text, err := os.ReadFile(h.path("run", "ray.env"))
	require.NoError(t, err)
	require.Equal(t, h.fill(`# Where the Ray cluster of raynoded's instance worker is. Gone when the node is not in it.
RAY_ADDRESS=$HEAD
RAY_TMPDIR=$DIR/worker/ray
RAY_AUTH_MODE=token
RAY_AUTH_TOKEN_PATH=$DIR/worker/run/ray-token
`), string(text))
	info, err := os.Stat(h.path("run", "ray.env"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), info.ModTime(), patience)
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	for _, ran := range h.started() {
		require.NotContains(t, ran.Args, "hush-hush-1")
		require.NotContains(t, ran.Env, "hush-hush-1")
	}
	require.NotContains(t, p.stderr(), "hush-hush")
}
