package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func (h *testHost) wait(args ...string) *process {
	h.Helper()
	return command(h.T, h.env, append([]string{"wait", "--role", h.role()}, args...)...)
}

func TestWait_Complete(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "cluster.nodes = 2")
	p := h.wait("--gpus=8", "gpu-002")
	p.until("cannot reach head")
	h.headless()
	p.until("0 of 2 nodes, 0 of 8 GPUs; missing: gpu-002")
	h.node("gpu-001", 4)
	p.until("1 of 2 nodes, 4 of 8 GPUs; here: gpu-001; missing: gpu-002")
	h.node("gpu-002", 4)
	require.Equal(t, 0, p.exit())
	require.Equal(t, "2 of 2 nodes, 8 of 8 GPUs; here: gpu-001, gpu-002\n", p.output())
}

// nobodyYet is what a cluster has at which nobody has looked.
const nobodyYet = `{
  "nodes": 0,
  "nodes_wanted": 0,
  "gpus": 0,
  "gpus_wanted": 0,
  "here": [],
  "missing": [],
  "left": [],
  "complete": false
}
`

func TestWait_Ends(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, more     string
		args           []string
		head           func(h *testHost)
		code           int
		stdout, stderr string
	}{
		{
			name: "at once", args: []string{"--nodes=1"}, head: func(h *testHost) {
				h.headless()
				h.node("gpu-001", 4)
			},
			code: 0, stdout: "1 of 1 nodes; here: gpu-001\n",
		},
		{
			name: "by address", args: []string{"$IP"}, head: func(h *testHost) {
				h.headless()
				h.node("gpu-001", 4)
			},
			code: 0, stdout: "1 node; here: gpu-001\n",
		},
		{
			name: "not complete", more: "cluster.nodes = 3",
			args: []string{"--gpus=16", "--timeout=3s", "gpu-001", "gpu-003", "gpu-004"},
			head: func(h *testHost) {
				h.headless()
				h.node("gpu-001", 4)
				leave(h.node("gpu-002", 4))
				leave(h.node("gpu-003", 4))
			},
			code: 75,
			stderr: "1 of 3 nodes, 4 of 16 GPUs; here: gpu-001; missing: gpu-003, gpu-004; left: gpu-002, gpu-003\n" +
				"raynoded: the cluster is not complete within 3s: 1 of 3 nodes, 4 of 16 GPUs; here: gpu-001; missing: gpu-003, " +
				"gpu-004; left: gpu-002, gpu-003",
		},
		{
			name: "as JSON", more: "cluster.nodes = 3", args: []string{"--timeout=3s", "--json", "gpu-001", "gpu-003"},
			head: func(h *testHost) {
				h.headless()
				h.node("gpu-001", 4)
				leave(h.node("gpu-002", 4))
			},
			code: 75, stdout: `{
  "nodes": 1,
  "nodes_wanted": 3,
  "gpus": 4,
  "gpus_wanted": 0,
  "here": [
    "gpu-001"
  ],
  "missing": [
    "gpu-003"
  ],
  "left": [
    "gpu-002"
  ],
  "complete": false
}
`, stderr: "1 of 3 nodes; here: gpu-001; missing: gpu-003; left: gpu-002\n" +
				"raynoded: the cluster is not complete within 3s: 1 of 3 nodes; here: gpu-001; missing: gpu-003; left: gpu-002",
		},
		{
			name: "no head", args: []string{"--timeout=300ms"}, head: func(*testHost) {},
			code: 69, stderr: "cannot reach head $HEAD: connection refused\n" +
				"raynoded: the head cannot be reached within 300ms: cannot reach head $HEAD: connection refused",
		},
		{
			name: "no head, as JSON", more: "cluster.nodes = 4",
			args: []string{"--timeout=300ms", "--json", "--gpus=3", "gpu-001"},
			head: func(*testHost) {},
			code: 69, stdout: `{
  "nodes": 0,
  "nodes_wanted": 4,
  "gpus": 0,
  "gpus_wanted": 3,
  "here": [],
  "missing": [
    "gpu-001"
  ],
  "left": [],
  "complete": false
}
`, stderr: "cannot reach head $HEAD: connection refused\n" +
				"raynoded: the head cannot be reached within 300ms: cannot reach head $HEAD: connection refused",
		},
		{
			name: "a head that says nothing", args: []string{"--timeout=300ms"}, head: func(h *testHost) { h.mute() },
			code:   69,
			stderr: "raynoded: the head cannot be reached within 300ms: cannot ask head $HEAD *: connected, but no answer",
		},
		{
			name: "pinned to another cluster", more: `cluster.id = "00112233445566778899aabbccddeeff00112233445566778899aabb"`,
			head: func(h *testHost) { h.headless() },
			code: 76, stderr: "raynoded: " + mayNotJoin + "cluster.id: pinned to " +
				"00112233445566778899aabbccddeeff00112233445566778899aabb, but this is *",
		},
		{
			name: "token refused", head: func(h *testHost) {
				h.write(h.dir+"/token", "hush-hush\n")
				h.headless("RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=$DIR/token")
			},
			code: 77, stderr: "raynoded: the token was refused: cannot ask head $HEAD for its nodes: token missing or wrong " +
				"(InvalidAuthToken: Authentication token is missing or incorrect)",
		},
		{
			name: "no token file", more: `auth = { mode = "token", token_file = "$DIR/none" }`, head: func(*testHost) {},
			code:   71,
			stderr: "raynoded: " + unfit + "auth.token_file: cannot read the token: stat $DIR/none: no such file or directory",
		},
		{
			name: "no token file, as JSON", more: `auth = { mode = "token", token_file = "$DIR/none" }`,
			args: []string{"--json"},
			head: func(*testHost) {},
			code: 71, stdout: nobodyYet,
			stderr: "raynoded: " + unfit + "auth.token_file: cannot read the token: stat $DIR/none: no such file or " +
				"directory",
		},
		{
			name: "bad role file", more: `role = "wroker"`, head: func(*testHost) {}, code: 78,
			stderr: `$DIR/worker.toml.d/0.toml:1:9: role: must be "head", "worker", "single" or "auto", got "wroker"`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole, c.more)
			c.head(h)
			args := make([]string, len(c.args))
			for i := range args {
				args[i] = h.fill(c.args[i])
			}
			p := h.wait(args...)
			require.Equal(t, c.code, p.exit())
			require.Equal(t, c.stdout, p.output())
			h.matches(c.stderr, p.stderr())
		})
	}
}

func TestWait_Interrupted(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "cluster.nodes = 2")
	h.headless()
	p := h.wait()
	p.until("0 of 2 nodes")
	p.signal(syscall.SIGINT)
	require.Equal(t, 75, p.exit())
	require.Equal(t, "raynoded: the cluster is not complete: interrupted: 0 of 2 nodes", p.said[len(p.said)-1])
}

func TestWait_InterruptedAsJSON(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	p := h.wait("--json")
	p.until("cannot reach head")
	p.signal(syscall.SIGINT)
	require.Equal(t, 75, p.exit())
	require.Equal(t, nobodyYet, p.output())
	require.Equal(t, "raynoded: the cluster is not complete: interrupted: 0 nodes", p.said[len(p.said)-1])
}

// A single host has no other to wait for: who asks for others has the wrong role file.
func TestWait_Single(t *testing.T) {
	t.Parallel()
	own, err := os.Hostname()
	require.NoError(t, err)
	h := newCluster(t).host("single", singleRole)
	for _, args := range [][]string{nil, {"--nodes=1", "--gpus=8"}, {own}} {
		p := h.wait(args...)
		require.Equal(t, 0, p.exit())
		require.Equal(t, "0 nodes\n", p.output())
	}
	for _, args := range [][]string{{"--nodes=2"}, {own, "gpu-002"}} {
		p := h.wait(args...)
		require.Equal(t, 78, p.exit())
		require.Equal(
			t,
			"raynoded: the role cannot be decided: this is a single host, which has no cluster to wait for: look at role "+
				"and cluster.nodes",
			p.stderr(),
		)
	}
}

// leave has a node say goodbye.
func leave(raylet *exec.Cmd) {
	_ = raylet.Process.Signal(syscall.SIGTERM)
	_ = raylet.Wait()
}
