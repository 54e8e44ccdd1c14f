package main

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const mayNotJoin = "the head is not one this node may join: "

func TestRun_WorkerWithoutHead(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		more   string
		do     func(*process)
		code   int
		reason string
	}{
		{
			name: "asked to stop", do: func(p *process) {
				p.until("cannot reach head")
				p.signal(syscall.SIGTERM)
			},
			code: 0, reason: "asked to stop: terminated",
		},
		{
			name: "interrupted", do: func(p *process) {
				p.until(" waiting")
				p.signal(syscall.SIGINT)
			},
			code: 0, reason: "asked to stop: interrupt",
		},
		{
			name: "never came", more: `cluster.join_timeout = "300ms"`, code: 69,
			reason: "the head cannot be reached within cluster.join_timeout (300ms): " +
				"cannot reach head $HEAD: connection refused",
		},
		{
			name: "unknown name", more: "cluster = { join_timeout = \"300ms\", head = \"" + noName + ":6379\" }", code: 69,
			reason: "the head cannot be reached within cluster.join_timeout (300ms): " +
				"cannot reach head " + noName + ":6379: *no such host",
		},
		{
			name: "unknown name, undecided",
			more: "role = \"auto\"\ncluster = { join_timeout = \"300ms\", head = \"" + noName + ":6379\" }",
			code: 69,
			reason: "the head cannot be reached within cluster.join_timeout (300ms): " +
				"cannot resolve the name " + noName,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole, c.more)
			p := h.run()
			if c.do != nil {
				c.do(p)
			}
			h.ends(p, c.code, c.reason)
			require.Empty(t, h.started(), "nothing is started before the head is there")
		})
	}
}

func TestRun_WorkerThatIsNotLetIn(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		head   []string // environment of the head
		env    []string // of the worker
		more   string
		code   int
		reason string
	}{
		{
			name: "pinned to another cluster", more: `cluster.id = "00112233445566778899aabbccddeeff00112233445566778899aabb"`,
			code: 76,
			reason: mayNotJoin + "cluster.id: pinned to 00112233445566778899aabbccddeeff00112233445566778899aabb, " +
				"but $HEAD is *",
		},
		{
			name: "another Ray", head: []string{"FAKERAY_VERSION=2.59.1"}, code: 76,
			reason: mayNotJoin + "ray.bin: $BIN has Ray 2.60.0, the head $HEAD has 2.59.1: install the same on both",
		},
		{
			name: "another Python", head: []string{"FAKERAY_PYTHON=3.11.9"}, code: 76,
			reason: mayNotJoin + "ray.bin: $BIN has Python 3.11.7, the head $HEAD has 3.11.9: install the same on both",
		},
		{
			name: "another minor Python", head: []string{"FAKERAY_PYTHON=3.12.1"},
			env: []string{"RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL=minor"}, code: 76,
			reason: mayNotJoin + "ray.bin: $BIN has Python 3.11.7, the head $HEAD has 3.12.1: install the same on both",
		},
		{
			name: "no token", head: []string{"RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=$DIR/token"}, code: 77,
			reason: "the token was refused: cannot ask head $HEAD whether it is alive: token missing or wrong " +
				"(InvalidAuthToken: Authentication token is missing or incorrect): auth.mode and the token must be those of " +
				"the head ($HEAD)",
		},
		{
			name: "wrong token", head: []string{"RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=$DIR/token"},
			more: `auth = { mode = "token", token_file = "$DIR/other" }`,
			code: 77, reason: "the token was refused: cannot ask head $HEAD whether it is alive: token missing or wrong " +
				"(InvalidAuthToken: Authentication token is missing or incorrect): auth.mode and the token must be those of " +
				"the head ($HEAD)",
		},
		{
			name: "no Ray head", head: []string{"none"}, more: `cluster.join_timeout = "3s"`,
			code: 69,
			reason: "the head cannot be reached within cluster.join_timeout (3s): cannot ask head $HEAD whether it is alive: " +
				"not a Ray head: it *",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole, c.more).with(c.env...)
			h.write(h.dir+"/token", "hush-hush-1\n")
			h.write(h.dir+"/other", "hush-hush-2\n")
			if len(c.head) == 1 && c.head[0] == "none" {
				h.stranger()
			} else {
				h.gcs(c.head...)
			}
			p := h.run()
			h.ends(p, c.code, c.reason)
			require.Empty(t, h.started(), "nothing is started")
			require.NotContains(t, p.stderr(), "hush-hush")
		})
	}
}

func TestRun_WorkerThatCannotStart(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, fakeray string
		more          string
		code          int
		reason        string
	}{
		{
			name: "`ray start` fails", fakeray: "fail", code: 70,
			reason: "Ray failed: *`ray start` ended with exit code 1: ValueError: Attempting to start a node with more GPUs " +
				"than it has " +
				"(all it said is in $DIR/worker/ray-start.log)",
		},
		{
			name: "`ray start` finds another version", fakeray: "mismatch", code: 76,
			reason: mayNotJoin + "its Ray or Python version differs from this host's, says `ray start`",
		},
		{
			name: "`ray start` hangs", fakeray: "hang", more: `ray.start_timeout = "5s"`,
			code: 70, reason: "Ray failed: *within ray.start_timeout (5s)",
		},
		{
			name: "no raylet", fakeray: "noraylet", code: 70,
			reason: "Ray failed: *`ray start` returned, but started no raylet",
		},
		{
			name: "the raylet dies", fakeray: "raylet-dies", code: 70,
			reason: "Ray failed: *raylet ended with exit code 3: no more shared memory",
		},
		{
			name: "never listed", fakeray: "never-listed,actor", more: `ray.start_timeout = "5s"`,
			code: 70, reason: "Ray failed: *the GCS does not list this node within ray.start_timeout (5s)",
		},
		{
			name: "drained before it was listed", fakeray: "raylet-drained", code: 70,
			reason: "Ray failed: *raylet ended with exit code 0",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole, c.more).with("FAKERAY=" + c.fakeray)
			h.gcs()
			p := h.run()
			p.until(" starting")
			h.ends(p, c.code, c.reason)
			require.Len(t, h.started("ray start"), 1, "raynoded does not try again: systemd does")
		})
	}
}

// What is said at the end is the last answer to a question that was not cut short by it.
func TestRun_QuestionCutShort(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, `cluster.join_timeout = "1500ms"`)
	p := h.run()
	p.until("connection refused")
	h.mute() // the next question is not answered within the second that is its own
	h.ends(
		p, 69, "the head cannot be reached within cluster.join_timeout (1.5s): cannot reach head $HEAD: connection refused",
	)
}

// A head that goes away while a node joins was never joined, so that end is not in order.
func TestRun_HeadLostWhileJoining(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole).with("FAKERAY=hang")
	gcs := h.gcs()
	p := h.run()
	p.until(" starting")
	h.eventually(func() bool { return len(h.started("log_monitor")) > 0 })
	stop(gcs)
	h.ends(
		p, 69,
		"the head cannot be reached: it went away while this node joined: head lost: gone: every connection refused for "+
			"*: cannot * head $HEAD*",
	)
}
