package main

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRun_Head(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole).with("FAKERAY=actor")
	p := h.run()
	p.until(" running")
	text, err := os.ReadFile(h.path("run", "ray.env"))
	require.NoError(t, err)
	require.Contains(t, string(text), h.fill("RAY_ADDRESS=$HEAD\nRAY_TMPDIR=$DIR/head/ray\nRAY_AUTH_MODE=disabled\n"))
	h.settled()
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	bye := h.farewells()
	require.Equal(t, "raylet", bye[0], "it leaves while the GCS can hear it")
	require.NotContains(t, bye, "gcs_server", "it has nothing to save")
}

func TestRun_HeadThatCannotStart(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, fakeray, more string
		do                  func(*process)
		code                int
		reason              string
	}{
		{
			name: "`ray start` fails half-way", fakeray: "fail", code: 70,
			reason: "Ray failed: *`ray start` ended with exit code 1: ValueError: Attempting to start a node with more GPUs " +
				"than it has " +
				"(all it said is in $DIR/head/ray-start.log)",
		},
		{
			name: "`ray start` hangs", fakeray: "hang", more: `ray.start_timeout = "700ms"`, code: 70,
			reason: "Ray failed: *within ray.start_timeout (700ms)",
		},
		{
			name: "asked to stop while it starts", fakeray: "hang", do: func(p *process) { p.signal(syscall.SIGTERM) },
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "under a job", fakeray: "fail", more: job("exit 0"), code: 70,
			reason: "Ray failed: *`ray start` ended with exit code 1: *",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("head", headRole, c.more).with("FAKERAY=" + c.fakeray)
			p := h.run()
			p.until(" starting")
			if c.do != nil {
				c.do(p)
			}
			h.ends(p, c.code, c.reason)
		})
	}
}

func TestRun_HeadThatFails(t *testing.T) {
	t.Parallel()
	waiting := job("trap '' TERM; echo at work; sleep 1000")
	cases := []struct {
		name, more string
		do         func(*testHost)
		code       int
		reason     string
	}{
		{
			name: "its GCS is killed", do: func(h *testHost) { h.tell("gcs_server", syscall.SIGKILL) },
			code: 70, reason: "Ray failed: *gcs_server ended with signal killed",
		},
		{
			name: "its GCS is terminated", do: func(h *testHost) { h.tell("gcs_server", syscall.SIGTERM) },
			code: 70, reason: "Ray failed: *gcs_server ended with exit code 0",
		},
		{
			name: "its raylet crashes", do: func(h *testHost) { h.tell("raylet", syscall.SIGUSR1) },
			code: 70, reason: "Ray failed: *raylet ended with exit code 3: no more shared memory",
		},
		{
			name: "under a job", more: waiting, do: func(h *testHost) { h.tell("raylet", syscall.SIGUSR1) },
			code: 72, reason: "Ray failed under the job: *raylet ended with exit code 3: no more shared memory",
		},
		{
			name: "GCS under a job", more: waiting, do: func(h *testHost) { h.tell("gcs_server", syscall.SIGKILL) },
			code: 72, reason: "Ray failed under the job: *gcs_server ended with signal killed",
		},
		{
			name: "disowned", more: waiting, do: func(h *testHost) { h.tell("raylet", syscall.SIGHUP) },
			code: 72, reason: "Ray failed under the job: *the GCS says node * is dead: health check failed",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			// The end of a program, and not the watch, is to be what is seen first.
			h := newCluster(
				t,
			).host("head", headRole, c.more, `stop.grace = "100ms"`, `watchdog.refused = "20s"`).
				with("FAKERAY=actor")
			p := h.run()
			p.until(" running")
			if c.more != "" {
				p.until("at work")
			}
			c.do(h)
			h.ends(p, c.code, c.reason)
		})
	}
}

// What is not vital ends no training run.
func TestRun_DegradedHead(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole)
	p := h.run()
	p.until(" running")
	h.settled()
	h.tell("dashboard", syscall.SIGKILL)
	require.Contains(t, p.until("degraded"), " error: degraded: dashboard ended with signal killed")
	h.tell("log_monitor", syscall.SIGKILL)
	require.Contains(t, p.until("degraded"), ", log_monitor ended with signal killed")
	require.True(t, h.one("raylet").Alive())
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

func TestRun_HeadJob(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, "cluster.nodes = 2\njob.wait_gpus = 6\n"+job("env; echo --; exit 3"))
	p := h.run()
	p.until("the job waits: 1 of 2 nodes, 4 of 6 GPUs")
	h.node("gpu-2", 1)
	p.until("the job waits: 2 of 2 nodes, 5 of 6 GPUs")
	h.node("gpu-03", 1)
	p.until("job runs: /bin/sh")
	h.ends(p, 3, "the job ended: exit code 3")
	require.Contains(t, p.said, h.fill("RAY_ADDRESS=$HEAD"))
	require.Contains(t, p.said, h.fill("RAY_TMPDIR=$DIR/head/ray"))
	require.Contains(t, p.said, "RAY_AUTH_MODE=disabled")
}

func TestRun_HeadJobEndsWell(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, job("exit 0"))
	h.ends(h.run(), 0, "the job ended: exit code 0")
}

func TestRun_IncompleteCluster(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, "cluster.nodes = 3\njob.wait_timeout = \"3s\"\n"+job("exit 0"))
	h.ends(h.run(), 75, "the cluster is not complete within job.wait_timeout (3s): 1 of 3 nodes")
}

func TestRun_Auto(t *testing.T) {
	t.Parallel()
	const (
		byAddress = "role = \"auto\"\ncluster.nodes = 0\n"
		launched  = byAddress + `
[cluster.auto]
rank = "SLURM_NODEID"
nodes = "SLURM_NNODES"
head_host = "HEAD_HOST"
`
	)
	env := func(rank, nodes, head string) []string {
		return []string{"SLURM_NODEID=" + rank, "SLURM_NNODES=" + nodes, "HEAD_HOST=" + head}
	}
	cases := []struct {
		name, more string
		env        []string
		programs   []string
	}{
		{name: "the address is mine", more: byAddress, programs: []string{"gcs_server"}},
		{name: "rank 0", more: launched, env: env("0", "2", "$IP"), programs: []string{"gcs_server"}},
		{name: "one host", more: launched, env: env("0", "1", ""), programs: nil},
		{name: "one host of the role file", more: "role = \"auto\"\ncluster.nodes = 1\n", programs: nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("node", headRole, c.more).with(c.env...)
			p := h.run()
			p.until(" running")
			require.Len(t, h.started("gcs_server"), len(c.programs))
			p.signal(syscall.SIGTERM)
			h.ends(p, 0, "asked to stop: terminated")
		})
	}
	t.Run("rank 0 waits with its job", func(t *testing.T) {
		t.Parallel()
		h := newCluster(t).host("node", headRole, launched, "job.command = [\"/bin/true\"]\n").with(env("0", "2", "$IP")...)
		p := h.run()
		p.until("the job waits: 1 of 2 nodes")
		p.signal(syscall.SIGTERM)
		h.ends(p, 0, "asked to stop: terminated")
	})
	t.Run("rank 1", func(t *testing.T) {
		t.Parallel()
		h := newCluster(t).host("node", headRole, launched).with(env("1", "2", "$IP")...)
		h.gcs()
		p := h.run()
		p.until(" running")
		require.Empty(t, h.started("gcs_server"))
		p.signal(syscall.SIGTERM)
		h.ends(p, 0, "asked to stop: terminated")
	})
	t.Run("not launched", func(t *testing.T) {
		t.Parallel()
		h := newCluster(t).host("node", headRole, launched)
		h.ends(
			h.run(),
			78,
			"the role cannot be decided: cluster.auto.rank: the variable SLURM_NODEID is not set: the launcher must set it\n"+
				"the role cannot be decided: cluster.auto.nodes: the variable SLURM_NNODES is not set: the launcher must set it\n"+
				"the role cannot be decided: cluster.auto.head_host: the variable HEAD_HOST is not set: the launcher must set it",
		)
	})
}
