package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/fakeray"
)

const tryingAgain = "Ray's agents needed more than 15 s: trying again, 2 of 3"

// Ray's agents are late once (ray#65983): the node starts all the same, as one start.
func TestRun_SlowAgents(t *testing.T) {
	t.Parallel()
	for _, role := range []string{headRole, workerRole} {
		t.Run(strings.Fields(role)[2], func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("host", role).with("FAKERAY=slow-once")
			if role == workerRole {
				h.gcs()
			}
			p := h.run()
			p.until(tryingAgain)
			p.until(" running")
			h.settled()
			raylets := h.started("raylet")
			require.Len(t, raylets, 2)
			require.NotEqual(t, startID(t, raylets[0]), startID(t, raylets[1]))
			for _, program := range []string{"log_monitor", "dashboard", "gcs_server"} {
				living := 0
				for _, s := range h.started(program) {
					if s.Alive() {
						living++
					}
				}
				require.Equal(t, len(h.started(program))/2, living, "%s of the first try has gone", program)
			}
			require.Equal(t, 1, strings.Count(p.stderr(), " starting"))
			p.signal(syscall.SIGTERM)
			h.ends(p, 0, "asked to stop: terminated")
		})
	}
}

// startID is by what the GCS tells one start of a node from another.
func startID(t *testing.T, p fakeray.Process) string {
	t.Helper()
	for _, entry := range p.Env {
		if text, found := strings.CutPrefix(entry, "RAY_CLOUD_INSTANCE_ID="); found {
			return text
		}
	}
	require.Fail(t, "it has no start id")
	return ""
}

func TestRun_SlowAgentsNeverInTime(t *testing.T) {
	t.Parallel()
	const late = "raylet ended with exit code 3: Check failed: statussetor3576.has_value() Timed out waiting for file " +
		"*/metrics_agent_port_*"
	cases := []struct {
		name, fakeray, more string
		raylets             int
		reason              string
	}{
		{
			name: "three times", fakeray: "slow-agents", raylets: 3,
			reason: "Ray failed: in each of 3 tries Ray's agents needed more than 15 s: " + late,
		},
		{
			name: "once, and then not in the cluster", fakeray: "slow-once,never-listed", more: `ray.start_timeout = "8s"`,
			raylets: 2,
			reason:  "Ray failed: *within ray.start_timeout (8s)",
		},
		{
			name: "an agent that fails would fail again", fakeray: "agent-fails", raylets: 1,
			reason: "Ray failed: raylet ended with exit code 3: its dashboard_agent ended: ModuleNotFoundError: " +
				"No module named 'opencensus'",
		},
		{
			name: "another end of the raylet is none of its agents'", fakeray: "raylet-dies", raylets: 1,
			reason: "Ray failed: raylet ended with exit code 3: no more shared memory",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("head", headRole, c.more).with("FAKERAY=" + c.fakeray)
			p := h.run()
			h.ends(p, 70, c.reason)
			require.Len(t, h.started("raylet"), c.raylets)
			require.NotContains(t, p.stderr(), "discovered a bug")
		})
	}
}

// A node that is asked to stop while its Ray is tried again says so.
func TestRun_SlowAgentsAsked(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole).with("FAKERAY=slow-agents")
	p := h.run()
	p.until(tryingAgain)
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// A head may have to start again, as another cluster: a worker waits for the head's own node.
func TestRun_WorkerWaitsForHeadsNode(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	gcs := h.headless()
	h.node("gpu-007", 1)
	p := h.run()
	p.until("the head's own node is not in the cluster yet")
	require.Empty(t, h.started())
	stop(gcs)
	h.gcs()
	p.until(" running")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// What Ray imports is read once while a worker waits, at the lowest priority, and a stop ends that.
func TestRun_WorkerWarmsUp(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	python, readers := filepath.Join(h.dir, "python3"), filepath.Join(h.dir, "readers")
	for path, text := range map[string]string{
		python: "#!/bin/sh\ncase $2 in *runpy*) echo $$ >> " + readers + "; exec sleep 1000;; esac\necho 3.11.7 2.60.0\n",
		h.bin:  "#!" + python + "\n",
	} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	}
	p := h.run()
	const nice19 = 1 // as getpriority(2) itself answers
	var reader int
	h.eventually(func() bool {
		text, _ := os.ReadFile(readers)
		reader, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		nice, err := unix.Getpriority(unix.PRIO_PROCESS, reader)
		return reader > 0 && err == nil && nice == nice19
	})
	h.stranger() // a head that answers otherwise is another try
	p.until("not a Ray head")
	text, err := os.ReadFile(readers)
	require.NoError(t, err)
	require.Equal(t, strconv.Itoa(reader)+"\n", string(text), "once")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	require.ErrorIs(t, syscall.Kill(reader, 0), syscall.ESRCH)
}

// Python files that are not compiled are said, with the command that mends it.
func TestRun_Uncompiled(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole)
	packages := filepath.Join(string(h.ray), "lib/python3.11/site-packages")
	h.write(filepath.Join(packages, "ray/dashboard/modules/reporter/reporter_agent.py"), "")
	p := h.run()
	p.until("run once, as a user who may write there: " + string(h.ray) + "/bin/python3 -m compileall -q -j 0 " + packages)
	p.until(" running")
	h.settled()
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}
