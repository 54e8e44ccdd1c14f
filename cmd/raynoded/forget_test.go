package main

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const persistentHead = "cluster.persistent_head = true\n"

func TestForget(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, persistentHead)
	state := h.path("gcs", "000004.log")
	forget := func(args ...string) *process {
		return command(t, h.env, append([]string{"forget", "--role", h.role()}, args...)...)
	}

	p := forget()
	require.Equal(t, 0, p.exit())
	require.Equal(t, "Nothing to forget: there is no "+h.path("gcs")+".\n", p.output())

	running := h.run()
	running.until(" running")
	require.Contains(t, h.one("gcs_server").Env, "RAY_gcs_storage_path="+h.path("gcs"))
	h.write(state, "what the GCS knows")
	p = forget("--yes")
	require.Equal(t, 73, p.exit())
	require.Equal(t, "raynoded: another raynoded runs this role: "+h.path("lock")+" is locked", p.stderr())
	running.signal(syscall.SIGTERM)
	h.ends(running, 0, "asked to stop: terminated")
	require.FileExists(t, state, "a stop keeps the state")

	p = forget()
	require.Equal(t, 64, p.exit())
	require.Equal(t, "raynoded: wrong usage: not confirmed: nothing was deleted (--yes does not ask)", p.stderr())
	require.FileExists(t, state)

	p = forget("--yes")
	require.Equal(t, 0, p.exit())
	require.Equal(t, "Forgotten: "+h.path("gcs")+".\n", p.output())
	require.NoDirExists(t, h.path("gcs"))
}

func TestForget_Refusals(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	p := command(t, h.env, "forget", "--yes", "--role", h.role())
	require.Equal(t, 78, p.exit())
	require.Equal(
		t, "raynoded: the role cannot be decided: a worker keeps no state of a cluster: ask on the head", p.stderr(),
	)

	h = newCluster(t).host("head", headRole, persistentHead, "cluster.redis = \"$IP:1\"\nray.bin = \"/bin/true\"")
	p = command(t, h.env, "forget", "--yes", "--role", h.role())
	require.Equal(t, 71, p.exit())
	require.Equal(
		t,
		"raynoded: this host is not fit: cluster.redis: not a Ray program: /bin/true: its first line names no Python, "+
			"which is needed to ask the Redis",
		p.stderr(),
	)
}

func TestRun_PersistentHeadNeedsItsRay(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, persistentHead).with("FAKERAY_VERSION=2.56.0")
	p := h.run()
	h.ends(
		p, 71,
		"this host is not fit: cluster.persistent_head: needs Ray 2.57 or newer, $BIN is 2.56.0: upgrade Ray or name a "+
			"cluster.redis",
	)
}

// Ray never removes a session. This node's own go when there are more than are to be kept.
func TestRun_KeepSessions(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "ray = { keep_sessions = 2, temp_dir = \"$DIR/shared\" }\n")
	h.gcs()
	h.write(h.dir+"/shared/session_of_another/logs/x.log", "")
	for n := range 4 {
		if n == 3 { // another host's owner file, and one that does not say whose it is
			h.write(h.dir+"/shared/session_of_another/of-raynoded-worker-0-0123456789abcdef", "")
			h.write(h.dir+"/shared/session_of_another/of-raynoded-worker", "")
		}
		p := h.run()
		p.until(" running")
		p.signal(syscall.SIGTERM)
		h.ends(p, 0, "asked to stop: terminated")
	}
	p := h.run()
	p.until(" removed ")
	h.eventually(func() bool {
		sessions, _ := filepath.Glob(h.dir + "/shared/session_*")
		return len(sessions) == 3
	})
	require.DirExists(t, h.dir+"/shared/session_of_another")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}
