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
			"asked to stop", "", func(p *process) {
				p.until("cannot reach head")
				p.signal(syscall.SIGTERM)
			},
			0, "asked to stop: terminated",
		},
		{
			"interrupted", "", func(p *process) {
				p.until(" waiting")
				p.signal(syscall.SIGINT)
			},
			0, "asked to stop: interrupt",
		},
		{
			"never came", `cluster.join_timeout = "300ms"`, nil,
			69, "the head cannot be reached within cluster.join_timeout (300ms): cannot reach head $HEAD: connection refused",
		},
		{
			"unknown name", "cluster = { join_timeout = \"300ms\", head = \"" + noName + ":6379\" }", nil,
			69, "the head cannot be reached within cluster.join_timeout (300ms): cannot reach head " + noName + ":6379: *no " +
				"such host",
		},
		{
			"unknown name, undecided", "role = \"auto\"\ncluster = { join_timeout = \"300ms\", head = " +
				"\"" + noName + ":6379\" }", nil,
			69, "the head cannot be reached within cluster.join_timeout (300ms): cannot resolve the name " + noName,
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
			"pinned to another cluster", nil, nil, `cluster.id = "00112233445566778899aabbccddeeff00112233445566778899aabb"`,
			76, mayNotJoin + "cluster.id: pinned to 00112233445566778899aabbccddeeff00112233445566778899aabb, but $HEAD is *",
		},
		{
			"another Ray", []string{"FAKERAY_VERSION=2.59.1"}, nil, "",
			76, mayNotJoin + "ray.bin: $BIN has Ray 2.60.0, the head $HEAD has 2.59.1: install the same on both",
		},
		{
			"another Python", []string{"FAKERAY_PYTHON=3.11.9"}, nil, "",
			76, mayNotJoin + "ray.bin: $BIN has Python 3.11.7, the head $HEAD has 3.11.9: install the same on both",
		},
		{
			"another minor Python", []string{"FAKERAY_PYTHON=3.12.1"},
			[]string{"RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL=minor"}, "",
			76, mayNotJoin + "ray.bin: $BIN has Python 3.11.7, the head $HEAD has 3.12.1: install the same on both",
		},
		{
			"no token", []string{"RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=$DIR/token"}, nil, "",
			77, "the token was refused: cannot ask head $HEAD whether it is alive: token missing or wrong " +
				"(InvalidAuthToken: Authentication token is missing or incorrect): auth.mode and the token must be those of " +
				"the head ($HEAD)",
		},
		{
			"wrong token", []string{"RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=$DIR/token"}, nil,
			`auth = { mode = "token", token_file = "$DIR/other" }`,
			77, "the token was refused: cannot ask head $HEAD whether it is alive: token missing or wrong " +
				"(InvalidAuthToken: Authentication token is missing or incorrect): auth.mode and the token must be those of " +
				"the head ($HEAD)",
		},
		{
			"no Ray head", []string{"none"}, nil, `cluster.join_timeout = "3s"`,
			69, "the head cannot be reached within cluster.join_timeout (3s): cannot ask head $HEAD whether it is alive: " +
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
			"`ray start` fails", "fail", "",
			70, "Ray failed: *`ray start` ended with exit code 1: ValueError: Attempting to start a node with more GPUs " +
				"than it has " +
				"(all it said is in $DIR/worker/ray-start.log)",
		},
		{
			"`ray start` finds another version", "mismatch", "",
			76, mayNotJoin + "its Ray or Python version differs from this host's, says `ray start`",
		},
		{
			"`ray start` hangs", "hang", `ray.start_timeout = "5s"`,
			70, "Ray failed: *within ray.start_timeout (5s)",
		},
		{"no raylet", "noraylet", "", 70, "Ray failed: *`ray start` returned, but started no raylet"},
		{"the raylet dies", "raylet-dies", "", 70, "Ray failed: *raylet ended with exit code 3: no more shared memory"},
		{
			"never listed", "never-listed,actor", `ray.start_timeout = "5s"`,
			70, "Ray failed: *the GCS does not list this node within ray.start_timeout (5s)",
		},
		{
			"drained before it was listed", "raylet-drained", "",
			70, "Ray failed: *raylet ended with exit code 0",
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

// A head that goes while a node joins it was never joined: that is no good end.
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
