package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/test/edits"
)

// reload asks the node of a host, and returns the exit code and what was printed.
func (h *testHost) reload(more ...string) (code int, stdout, stderr string) {
	h.Helper()
	p := command(h.T, h.env, append([]string{"reload", "--role", h.role()}, more...)...)
	code = p.exit()
	return code, p.output(), p.stderr()
}

// uptodate is what reload prints where nothing has changed.
const uptodate = "nothing to do: what the files say is in force\n"

// seen is what reload prints if the edit was seen before it could ask.
func seen(stdout string) string {
	if applied, rest, found := strings.Cut(stdout, "\n"); found && strings.HasPrefix(applied, "applied: ") {
		stdout = rest
	}
	if stdout == "" {
		return uptodate
	}
	return stdout
}

// edit replaces a file in one step.
func (h *testHost) edit(path, text string) {
	h.Helper()
	temp := filepath.Join(h.dir, "new")
	h.write(temp, text)
	require.NoError(h, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(h, os.Rename(temp, path))
}

func TestReload(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		dropIn string
		code   int
		stdout string
		stderr string
		status string // what the status line says behind who the node is
	}{
		{name: "nothing", code: 0, stdout: uptodate, status: ""},
		{
			name: "live keys", dropIn: "[watchdog]\nsilent = '20s'\n[stop]\ngrace = '1s'\n", code: 0,
			stdout: "applied: watchdog.silent, stop.grace\n", status: "",
		},
		{
			name: "one that needs a new Ray", dropIn: "ray.num_gpus = 3\n", code: 0, stdout: "restart pending: ray.num_gpus\n",
			status: "; restart pending: ray.num_gpus",
		},
		{
			name: "both", dropIn: "node.ip = '127.0.0.9'\n[ray]\nnum_gpus = 3\nkeep_sessions = 1\n", code: 0,
			stdout: "applied: ray.keep_sessions\nrestart pending: node.ip, ray.num_gpus\n",
			status: "; restart pending: node.ip, " +
				"ray.num_gpus",
		},
		{
			name: "longer than Ray waits", dropIn: "watchdog.stuck = '10m'\n", code: 0,
			stdout: "applied: watchdog.stuck\nrestart pending: watchdog.stuck\n", status: "; restart pending: watchdog.stuck",
		},
		{
			name: "no good", dropIn: "[watchdog]\nsilent = 20\nbogus = 1\n", code: 78,
			stderr: "$DIR/worker.toml.d/9.toml:2:10: watchdog.silent: " +
				"must be a duration such as \"500ms\", \"10s\" or \"5m\", got 20\n" +
				"$DIR/worker.toml.d/9.toml:3:9: watchdog.bogus: unknown key",
			status: "; the former role stays: $DIR/worker.toml.d/9.toml:2:10: watchdog.silent: must be a duration such as " +
				"\"500ms\", \"10s\" or \"5m\", got 20 (and 1 more)",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole)
			h.gcs()
			s := h.systemd()
			p := h.run()
			s.until("READY=1")
			raylet := h.one("raylet")
			h.edit(h.role()+".d/9.toml", c.dropIn)
			code, stdout, stderr := h.reload()
			require.Equal(t, c.code, code)
			require.Contains(t, []string{c.stdout, seen(c.stdout)}, stdout)
			require.Equal(t, h.fill(c.stderr), stderr)
			s.until("RELOADING=1; MONOTONIC_USEC=")
			s.until("READY=1; STATUS=running: " + h.fill("worker of grpo, head $HEAD"+c.status))
			require.Equal(t, raylet, h.one("raylet"), "Ray runs on")

			require.NoError(t, os.Remove(h.role()+".d/9.toml"))
			if code, _, _ := h.reload(); c.code != 0 {
				require.Equal(t, 0, code)
				p.until("the role file is good again")
			}
			s.until("READY=1; STATUS=running: " + h.fill("worker of grpo, head $HEAD"))
			p.signal(syscall.SIGTERM)
			h.ends(p, 0, "asked to stop: terminated")
		})
	}
}

// A worker that an edit makes a standing one is started for systemd: it waits, and need not be
// waited for.
func TestReload_BecomesStanding(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	s := h.systemd()
	p := h.run()
	p.until(" waiting")
	h.edit(h.role()+".d/9.toml", standing)
	s.until("READY=1; STATUS=waiting: ")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// An edit is seen by itself, and soon.
func TestReload_ByItself(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	h.gcs()
	p := h.run()
	p.until(" running")
	var slowest time.Duration
	for i := range 5 {
		start := time.Now()
		h.edit(h.role()+".d/9.toml", fmt.Sprintf("stop.grace = '%ds'\n", 1+i))
		p.until("applied from the role file: stop.grace")
		slowest = max(slowest, time.Since(start))
	}
	t.Logf("from edit to applied: %v at most", slowest)
	h.edit(h.role()+".d/9.toml", "stop = 1\n")
	p.until("warning: the former role stays: " + h.fill("$DIR/worker.toml.d/9.toml:1:8: stop: must be a table, got 1"))
	h.edit(h.role()+".d/9.toml", "log.level = 'debug'\n")
	p.until("the role file is good again")
	p.until("applied from the role file: stop.grace, log.level")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// A SIGHUP where there is no terminal asks, too.
func TestReload_Hangup(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("single", singleRole)
	s := h.systemd()
	p := h.run()
	s.until("READY=1")
	p.signal(syscall.SIGHUP)
	s.until("RELOADING=1")
	s.until("READY=1")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

func TestReload_NobodyRuns(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	code, stdout, stderr := h.reload()
	require.Equal(t, 69, code)
	require.Empty(t, stdout)
	require.Equal(t, "raynoded: no raynoded runs there: /run/raynoded/worker/control.sock", stderr)
}

func TestReload_JSON(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("single", singleRole)
	p := h.run()
	p.until(" running")
	for _, c := range []struct {
		text string
		code int
		want string
	}{
		{"", 0, `{"applied": [], "pending": [], "restarting": [], "errors": []}`},
		{"stop.drain = '1s'\njob.command = ['true']\n", 0,
			`{"applied": ["stop.drain"], "pending": ["job.command"], "restarting": [], "errors": []}`},
		{
			"stop = 1\n", 78, `{"applied": [], "pending": [], "restarting": [], "errors": [
				{"file": "$DIR/single.toml.d/9.toml", "line": 1, "column": 8, "key": "stop", "message":
				 "must be a table, got 1"}]}`,
		},
	} {
		h.edit(h.role()+".d/9.toml", c.text)
		code, stdout, stderr := h.reload("--json")
		require.Equal(t, c.code, code)
		var want, got report.Reloaded
		require.NoError(t, json.Unmarshal([]byte(h.fill(c.want)), &want))
		d := json.NewDecoder(strings.NewReader(stdout))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&got))
		if len(got.Applied) == 0 {
			want.Applied = got.Applied // the edit was seen before it was asked
		}
		require.Equal(t, want, got)
		require.NotContains(t, stdout, "null")
		require.Empty(t, stderr)
	}
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// Where no Ray runs, everything applies: the node waits for the head that the file names now.
func TestReload_WhileItWaits(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "cluster.head = '"+noName+":6379'\n")
	h.gcs()
	p := h.run()
	p.until("cannot reach head")
	h.edit(h.role()+".d/0.toml", "# mended\n")
	code, stdout, _ := h.reload()
	require.Equal(t, 0, code)
	require.Contains(t, []string{"applied: cluster.head\n", uptodate}, stdout, "or it was seen before")
	p.until(" running")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// reload.restart = "always" has Ray started anew under the new role, in the same process.
func TestReload_Always(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "reload.restart = 'always'\n")
	h.gcs()
	s := h.systemd()
	p := h.run()
	p.until(" running")
	h.settled()
	before := h.one("raylet")
	h.edit(h.role()+".d/9.toml", "ray.num_gpus = 3\n")
	code, stdout, _ := h.reload()
	require.Equal(t, 0, code)
	require.Contains(t, []string{"Ray is being started anew for: ray.num_gpus\n", uptodate}, stdout)
	p.until("restarting Ray for ray.num_gpus")
	p.until(" stopping: the role file has changed")
	p.until(" running")
	h.settled()
	after := h.one("raylet")
	require.NotEqual(t, before.PID, after.PID)
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	s.rest()
	s.obeyed()
}

// A head that goes while a worker drains for a new Ray is its lost head, unless the files name
// another by then.
func TestReload_HeadLostWhileItDrains(t *testing.T) {
	t.Parallel()
	const lost = "head lost: gone: every connection refused for *"
	cases := []struct{ name, more, edit, ends string }{
		{name: "per-job", edit: "ray.num_gpus = 3\n", ends: lost},
		{name: "standing", more: standing, edit: "ray.num_gpus = 3\n", ends: ""},
		{name: "to another head", edit: "cluster.head = '127.9.9.9:6379'\n", ends: ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(
				t,
			).host("worker", workerRole, "reload.restart = 'always'\nstop.drain = '10m'\n", c.more).
				with("FAKERAY=actor")
			gcs := h.gcs()
			p := h.run()
			p.until(" running")
			h.edit(h.role()+".d/9.toml", c.edit)
			p.until(" no new work until ")
			stop(gcs)
			p.until(" no longer draining: head lost: gone: ")
			if c.ends != "" {
				h.ends(p, 0, c.ends)
				return
			}
			p.until(" waiting")
			p.signal(syscall.SIGTERM)
			h.ends(p, 0, "asked to stop: terminated")
		})
	}
}

// A training run under an auto role of a whole fleet does not hear of what is only its head's.
func TestReload_AutoStaysWhatItIs(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "role = 'auto'\nnode.ip = '127.0.0.1'\n[job]\ncommand = ['true']\n")
	h.gcs()
	p := h.run()
	p.until(" running")
	h.edit(h.role()+".d/9.toml", "job.command = ['false']\ncluster.nodes = 7\n")
	code, stdout, _ := h.reload("--json")
	require.Equal(t, 0, code)
	var r report.Reloaded
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Empty(t, r.Pending)
	h.edit(h.role()+".d/9.toml", "cluster.head = '127.9.9.9:6379'\n")
	_, stdout, _ = h.reload("--json")
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Equal(t, []string{"cluster.head"}, r.Pending)
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// A token that is rotated is what Ray is started with next.
func TestReload_Token(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	secret := filepath.Join(c.dir, "token")
	require.NoError(t, os.WriteFile(secret, []byte("hush-1\n"), 0o600))
	h := c.host("worker", workerRole, "auth = { mode = 'token', token_file = '"+secret+"' }\n")
	_, err := c.ray.ServeGCS(c.head, "hush-1")
	require.NoError(t, err)
	p := h.run()
	p.until(" running")
	require.NoError(t, os.WriteFile(secret+".new", []byte("hush-2\n"), 0o600))
	require.NoError(t, os.Rename(secret+".new", secret))
	p.until("restart pending: auth.token_file")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

// Random edits, good, bad, half-written, renamed and switched, never restart anything, and never
// put in force what no complete file has said. RAYNODED_EDITS says how many.
func TestReload_RandomEdits(t *testing.T) {
	t.Parallel()
	most := 60
	if n := os.Getenv("RAYNODED_EDITS"); n != "" {
		_, err := fmt.Sscan(n, &most)
		require.NoError(t, err)
	}
	h := newCluster(t).host("worker", workerRole)
	h.gcs()
	s := h.systemd()
	p := h.run()
	p.until(" running")
	h.settled()
	raylet := h.one("raylet")
	drop := h.role() + ".d/9.toml"
	h.edit(drop, "cluster.name = 'n-1'\n")
	p.until("applied from the role file: cluster.name")
	s.until("STATUS=running: worker of n-1, ")
	s.said = nil
	random := rand.New(rand.NewPCG(1, 2))
	complete := []string{"n-1"}
	for i := range most {
		text, name := edits.Role(random, i)
		begun := time.Now()
		require.NoError(t, edits.Write(random, drop, text))
		complete = append(complete, name)
		if time.Since(begun) > 150*time.Millisecond { // a busy host: what has no name yet may settle
			complete = append(complete, "grpo")
		}
		if random.IntN(3) == 0 {
			time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		}
	}
	h.edit(drop, "cluster.name = 'last'\n")
	p.late = time.After(patience)
	s.until("STATUS=running: worker of last, ")
	_, stdout, _ := h.reload()
	require.Equal(t, uptodate, stdout)
	require.Equal(t, raylet, h.one("raylet"), "never a restart")
	applied := map[string]bool{}
	for _, text := range s.said {
		if _, name, found := strings.Cut(text, "worker of "); found {
			name, _, _ = strings.Cut(name, ",")
			require.Contains(t, append(complete, "last"), name, text)
			applied[name] = true
		}
		require.NotContains(t, text, "pending")
	}
	t.Logf("%d edits, %d of them seen one by one", most, len(applied))
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}
