package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func job(script string) string {
	return fmt.Sprintf("[job]\ncommand = [\"/bin/sh\", \"-c\", '''%s''']\n", script)
}

func TestRun_JobCode(t *testing.T) {
	t.Parallel()
	cases := []struct {
		script string
		code   int
		reason string
	}{
		{"exit 0", 0, "the job ended: exit code 0"},
		{"exit 1", 1, "the job ended: exit code 1"},
		{"exit 3", 3, "the job ended: exit code 3"},
		{"exit 64", 64, "the job ended: exit code 64"},
		{"exit 68", 68, "the job ended: exit code 68"},
		{"exit 69", 1, "the job ended: exit code 69"},
		{"exit 70", 1, "the job ended: exit code 70"},
		{"exit 78", 1, "the job ended: exit code 78"},
		{"exit 79", 1, "the job ended: exit code 79"},
		{"exit 80", 80, "the job ended: exit code 80"},
		{"exit 255", 255, "the job ended: exit code 255"},
		{"kill -TERM $$", 128 + 15, "the job ended: signal terminated"},
		{"kill -KILL $$", 128 + 9, "the job ended: signal killed"},
	}
	for _, c := range cases {
		t.Run(c.script, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("single", singleRole, job(c.script))
			p := h.run()
			h.ends(p, c.code, c.reason)
			require.Empty(t, h.started(), "Ray is the job's own business")
		})
	}
}

func TestRun_SingleWithoutJob(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("single", singleRole)
	p := h.run()
	p.until(" running")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	require.Empty(t, h.started())
}

// The job is the end of everything that it has started, in sessions of their own too. They hold our
// stderr: its end shows that they are gone.
func TestRun_JobLeavesNobody(t *testing.T) {
	t.Parallel()
	h := newCluster(
		t,
	).host("single", singleRole, job("setsid sleep 1000 & (setsid sleep 1000 &) ; sleep 1000 & echo started; exit 0"))
	p := h.run()
	p.until("started")
	h.ends(p, 0, "the job ended: exit code 0")
}

func TestRun_JobIsStopped(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, script, grace string }{
		{"obeys", "trap 'echo saved; exit 5' TERM; echo ready; while :; do sleep 0.01; done", "10s"},
		{"ignores it", "trap '' TERM; echo ready; while :; do sleep 0.01; done", "100ms"},
		{"left its group", "setsid sh -c 'trap \"\" TERM; echo ready; sleep 1000' & sleep 1000", "100ms"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("single", singleRole, job(c.script), `stop.grace = "`+c.grace+`"`)
			p := h.run()
			p.until("ready")
			p.signal(syscall.SIGTERM)
			h.ends(p, 0, "asked to stop: terminated")
			require.Equal(t, c.name == "obeys", strings.Contains(p.stderr(), "saved"))
		})
	}
}

// A program that is named from the job's folder is looked for there.
func TestRun_JobInItsFolder(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("single", singleRole, `job = { command = ["./train.sh"], dir = "$DIR/work" }`)
	h.write(h.dir+"/work/train.sh", "#!/bin/sh\necho $0 in $PWD\n")
	require.NoError(t, os.Chmod(h.dir+"/work/train.sh", 0o700))
	p := h.run()
	h.ends(p, 0, "the job ended: exit code 0")
	require.Contains(t, p.said, h.fill("./train.sh in $DIR/work"))
}

func TestRun_JobEnvironment(t *testing.T) {
	t.Parallel()
	h := newCluster(
		t,
	).host("single", singleRole, job("pwd; env; echo --"), `job.dir = "$DIR"`, "env = { MY_OWN = \"1\", LANG = \"\" "+
		"}\nenv_from.inherit = [\"LAUNCHER_*\"]").
		with("LAUNCHER_RANK=3", "NCCL_DEBUG=INFO", "LANG=en_US.UTF-8", "CREDENTIALS_DIRECTORY=/x", "RAY_ADDRESS=somewhere",
			"RAY_AUTH_TOKEN=hush", "RAY_AUTH_MODE=token", "RAY_TMPDIR=/x", "MY_OWN=2",
			"NOTIFY_SOCKET=$DIR/none", "WATCHDOG_USEC=60000000", "WATCHDOG_PID=1", "LISTEN_FDS=1", "LISTEN_PID=1",
			"LISTEN_FDNAMES=x")
	p := h.run()
	h.ends(p, 0, "the job ended: exit code 0")
	said := p.said
	require.Contains(t, said, h.dir)
	require.Contains(t, said, "MY_OWN=1")
	require.Contains(t, said, "LAUNCHER_RANK=3")
	require.Contains(t, said, "PATH="+h.fill("$DIR/f/bin")+":/usr/local/bin:/usr/bin:/bin", "`python` is Ray's")
	for _, line := range said {
		for _, name := range []string{"RAY_ADDRESS", "RAY_AUTH", "RAY_TMPDIR", "RAYNODED_", "NCCL_", "LANG=",
			"CREDENTIALS_", "STATE_", "NOTIFY_", "WATCHDOG_", "LISTEN_"} {
			require.False(t, strings.HasPrefix(line, name), line)
		}
	}
}
