package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain_WrongUsage(t *testing.T) {
	t.Parallel()
	cases := []struct {
		args []string
		want string
	}{
		{[]string{"run", "--nope"}, "raynoded: wrong usage: unknown flag: --nope (raynoded run --help shows the usage)"},
		{[]string{"--nope"}, "raynoded: wrong usage: unknown flag: --nope (raynoded --help shows the usage)"},
		{
			[]string{"run", "--role"},
			"raynoded: wrong usage: flag needs an argument: --role (raynoded run --help shows the usage)",
		},
		{
			[]string{"nope"},
			`raynoded: wrong usage: unknown command "nope" for "raynoded" (raynoded --help shows the usage)`,
		},
		{
			[]string{"chek", "role.toml"},
			`raynoded: wrong usage: unknown command "chek" for "raynoded", did you mean check? ` +
				`(raynoded --help shows the usage)`,
		},
		{
			[]string{"run", "worker.toml"},
			`raynoded: wrong usage: raynoded run takes no argument, got "worker.toml" (--help shows the usage)`,
		},
		{
			[]string{"version", "2"},
			`raynoded: wrong usage: raynoded version takes no argument, got "2" (--help shows the usage)`,
		},
		{
			[]string{"check", "a.toml", "b.toml"},
			"raynoded: wrong usage: raynoded check takes one file, got 2 (--help shows the usage)",
		},
		{
			[]string{"wait", "--nodes", "-2"},
			"raynoded: wrong usage: --nodes and --gpus must be 0 or more, --timeout more than 0",
		},
		{
			[]string{"wait", "--timeout", "0s"},
			"raynoded: wrong usage: --nodes and --gpus must be 0 or more, --timeout more than 0",
		},
		{
			[]string{"wait", "--gpus", "many"},
			`raynoded: wrong usage: invalid argument "many" for "--gpus" flag: strconv.ParseInt: parsing "many": ` +
				`invalid syntax (raynoded wait --help shows the usage)`,
		},
	}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.args), func(t *testing.T) {
			t.Parallel()
			p := command(t, nil, c.args...)
			require.Equal(t, 64, p.exit())
			require.Equal(t, c.want, p.stderr())
			require.Empty(t, p.output())
		})
	}
}

func TestMain_Help(t *testing.T) {
	t.Parallel()
	all := [][]string{{"--help"}, {"help", "run"}}
	for _, cmd := range rootCommand().Commands() {
		all = append(all, []string{cmd.Name(), "--help"})
	}
	for _, args := range all {
		t.Run(fmt.Sprint(args), func(t *testing.T) {
			t.Parallel()
			p := command(t, nil, args...)
			require.Equal(t, 0, p.exit())
			require.Contains(t, p.output(), "Usage:")
			require.Empty(t, p.stderr())
		})
	}
}

func TestMain_Version(t *testing.T) {
	t.Parallel()
	p := command(t, nil, "version")
	require.Equal(t, 0, p.exit())
	require.Equal(t, fmt.Sprintf("raynoded devel (%s, linux/%s)\n", runtime.Version(), runtime.GOARCH), p.output())
}

func TestMain_VersionAsJSON(t *testing.T) {
	t.Parallel()
	p := command(t, nil, "version", "--json")
	require.Equal(t, 0, p.exit())
	require.JSONEq(t, fmt.Sprintf(
		`{"version": "devel", "go": %q, "os": "linux", "arch": %q}`, runtime.Version(), runtime.GOARCH,
	), p.output())
}

// Every command that has --role takes the name of an instance, and says which file that is.
func TestMain_RoleByName(t *testing.T) {
	t.Parallel()
	const want = "raynoded: cannot load /etc/raynoded/no-such-instance.toml: there is no role file"
	for _, args := range [][]string{
		{"run", "--role"}, {"env", "--role"}, {"wait", "--role"}, {"forget", "--yes", "--role"}, {"check"}, {"config"},
	} {
		p := command(t, nil, append(args, "no-such-instance")...)
		require.Equal(t, 78, p.exit(), args)
		require.Equal(t, want, p.stderr(), args)
	}
}

func TestRolePath(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("here", nil, 0o600))
	for arg, want := range map[string]string{
		"":               "",
		"grpo-a":         "/etc/raynoded/grpo-a.toml",
		"grpo-a.toml":    "grpo-a.toml",
		"./grpo-a":       "./grpo-a",
		"/srv/role.conf": "/srv/role.conf",
		"here":           "here",
		"role.v2":        "/etc/raynoded/role.v2.toml",
	} {
		require.Equal(t, want, rolePath(arg), arg)
	}
}

func TestRun_BadRoleFile(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", "role = \"wroker\"\n[watchdog]\nsilent = \"30\"\n", "[ray]\nbins = \"/x\"\n")
	p := h.run()
	require.Equal(t, 78, p.exit())
	require.Equal(t, h.fill(`$DIR/worker.toml:1:9: role: must be "head", "worker", "single" or "auto", got "wroker"
$DIR/worker.toml:3:11: watchdog.silent: must be a duration such as "500ms", "10s" or "5m", got "30"
$DIR/worker.toml.d/0.toml:2:9: ray.bins: unknown key, did you mean ray.bin?`), p.stderr())
	require.NoDirExists(t, h.path())
}

func TestRun_NoRoleFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := command(t, []string{"STATE_DIRECTORY=" + dir, "RUNTIME_DIRECTORY=" + dir}, "run", "--role", dir+"/none.toml")
	require.Equal(t, 78, p.exit())
	require.Equal(t, "raynoded: cannot load "+dir+"/none.toml: there is no role file", p.stderr())
}

func TestRun_Twice(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	first := h.run()
	first.until(" waiting")
	second := h.run()
	require.Equal(t, 73, second.exit())
	require.Contains(
		t, second.said[len(second.said)-1],
		h.fill("error: ended: another raynoded runs this role: $DIR/worker/lock is locked"),
	)
	require.NoFileExists(t, h.path("last-end.json"), "the first one's record")
	first.signal(syscall.SIGTERM)
	h.ends(first, 0, "asked to stop: terminated")
}

// Without systemd nobody cleans up after a raynoded that is killed but the next one.
func TestRun_AfterAKill(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	h.gcs()
	first := h.run()
	first.until(" running")
	h.settled()
	raylet := h.one("raylet")
	first.kill()
	require.True(t, raylet.Alive())
	second := h.run()
	second.until(fmt.Sprintf("killed process %d, which an earlier raynoded left behind", raylet.PID))
	second.until(" running")
	require.NotEqual(t, raylet.PID, h.one("raylet").PID)
	second.signal(syscall.SIGTERM)
	h.ends(second, 0, "asked to stop: terminated")
}

// The job and all in its session go, so that there are not two of them, and a `ray start` that
// would start more.
func TestRun_AfterAKillUnderAJob(t *testing.T) {
	t.Parallel()
	h := newCluster(
		t,
	).host("single", singleRole, job("sleep 1000 >/dev/null 2>&1 & echo at work: $$ $!; exec sleep 1000 >/dev/null 2>&1"))
	first := h.run()
	pids := first.atWork()
	require.Len(t, pids, 2)
	h.keeps(pids[0])
	first.kill()
	second := h.run()
	second.until(fmt.Sprintf("killed process %d, which an earlier raynoded left behind", pids[0]))
	require.Len(t, second.atWork(), 2)
	for _, left := range pids {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", left)) // empty if it is a zombie
		require.Empty(t, line)
	}
	second.signal(syscall.SIGTERM)
	h.ends(second, 0, "asked to stop: terminated")
}

func TestRun_AfterAKillUnderRayStart(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole).with("FAKERAY=hang")
	first := h.run()
	first.until(" starting")
	h.eventually(func() bool { return len(h.started("ray start")) > 0 })
	starter := h.one("ray start")
	h.keeps(starter.PID)
	first.kill()
	require.True(t, starter.Alive())
	second := h.run()
	second.until(fmt.Sprintf("killed process %d, which an earlier raynoded left behind", starter.PID))
	second.until(" starting")
	require.False(t, starter.Alive())
	second.signal(syscall.SIGTERM)
	h.ends(second, 0, "asked to stop: terminated")
}

// keeps waits until a process is written down for the next raynoded.
func (h *testHost) keeps(pid int) {
	h.Helper()
	h.eventually(func() bool {
		text, _ := os.ReadFile(h.path("processes.json"))
		return strings.Contains(string(text), fmt.Sprintf(`"PID":%d,`, pid))
	})
}

// A role file that is no good is an end like any other, unless it is none of the raynoded that
// runs.
func TestRun_RefusedIsRecorded(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("single", singleRole)
	first := h.run()
	first.until(" running")
	h.write(h.role()+".d/bad.toml", "role = 'wroker'\n")
	require.Equal(t, 78, h.run().exit())
	require.NoFileExists(t, h.path("last-end.json"), "the first one still runs")
	first.signal(syscall.SIGTERM)
	require.Equal(t, 0, first.exit())
	require.Equal(t, 0, h.end().Code)

	p := h.run()
	require.Equal(t, 78, p.exit())
	require.Equal(t, 78, h.end().Code)
	require.Equal(t, p.stderr(), h.end().Reason)
}
