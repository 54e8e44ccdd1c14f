package ray

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What raylets of Ray 2.60.0 said, slowed down or robbed of an agent; paths and stack traces are
// shortened.
const (
	watching = "[2026-11-30 04:56:27,772 I 1729 1833] (raylet) agent_manager.cc:81: Monitor agent process with name " +
		"dashboard_agent\n"
	agentLost = "[2026-11-30 04:57:03,470 E 6624 6651] (raylet) agent_manager.cc:87: The raylet exited immediately " +
		"because one Ray agent failed, agent_name = dashboard_agent.\nThe raylet fate shares with the agent.\n"
	fatal = "[2026-11-30 04:55:22,917 C 22390 22390] (raylet) node_manager.cc:3576:  An unexpected system state has " +
		"occurred. You have likely discovered a bug in Ray. Please report this issue at " +
		"https://github.com/ray-project/ray/issues and we'll work with you to fix it. Check failed: "
	late = fatal + "statussetor3576.has_value() Timed out waiting for file /t/session_1/metrics_agent_port_a79024\n" +
		trace
	lateEnv = fatal + "statussetor3636.has_value() Timed out waiting for file /t/session_1/runtime_env_agent_port_a7\n" +
		trace
	trace = "*** StackTrace Information ***\n/v/raylet(+0xff770a) [0x5592eeb5570a] ray::operator<<()\n\n"
)

// logged is a raylet that has said something, as the second one of its session if number is ".1".
func logged(t *testing.T, number, out, err string) Program {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"raylet" + number + ".out": out, "raylet" + number + ".err": err} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return Identify([]string{
		"/v/raylet", "--log_dir=" + dir, "--stdout_filepath=" + filepath.Join(dir, "raylet"+number+".out"),
		"--stderr_filepath=" + filepath.Join(dir, "raylet"+number+".err"),
	})
}

func TestSlowAgents(t *testing.T) {
	cases := []struct {
		name, out, err string
		slow           bool
		words          string
	}{
		{
			name: "the dashboard's agent is slow (ray#65983)", out: watching + late, err: late, slow: true,
			words: "Check failed: statussetor3576.has_value() Timed out waiting for file /t/session_1/metrics_agent_port_a79024",
		},
		{
			name: "the runtime environments' agent is slow", out: watching + lateEnv, err: lateEnv, slow: true,
			words: "Check failed: statussetor3636.has_value() Timed out waiting for file " +
				"/t/session_1/runtime_env_agent_port_a7",
		},
		{
			name: "an agent has failed", out: watching + agentLost + late,
			err:   "Traceback (most recent call last):\nModuleNotFoundError: No module named 'opencensus'\n" + late,
			words: "its dashboard_agent ended: ModuleNotFoundError: No module named 'opencensus'",
		},
		{
			name: "an agent has failed without a word", out: watching + agentLost + late, err: late,
			words: "its dashboard_agent ended",
		},
		{
			name: "another failed check", out: fatal + "x == y\n" + trace, err: fatal + "x == y\n" + trace,
			words: "Check failed: x == y",
		},
		{
			name: "another file", out: fatal + "ok Timed out waiting for file /t/metrics_agent_port_/other\n",
			words: "Check failed: ok Timed out waiting for file /t/metrics_agent_port_/other",
		},
		{name: "a raylet that was killed", out: watching},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := logged(t, "", c.out, c.err)
			require.Equal(t, c.slow, SlowAgents(p))
			require.Equal(t, c.words, LastWords(p))
		})
	}
	other := logged(t, "", late, late)
	other.Name = "gcs_server"
	require.False(t, SlowAgents(other))
}

// An agent that got as far as its own log has its last words there.
func TestLastWords_AgentsOwn(t *testing.T) {
	for _, number := range []string{"", ".1"} {
		p := logged(t, number, watching+agentLost, "ValueError: before\n")
		log := filepath.Join(p.LogDir, "dashboard_agent"+number+".err")
		require.NoError(t, os.WriteFile(log, []byte("OSError: No space left on device\n"), 0o600))
		require.Equal(t, "its dashboard_agent ended: OSError: No space left on device", LastWords(p))
		require.NoError(t, os.WriteFile(log, []byte("DeprecationWarning: not what it died of\n"), 0o600))
		require.Equal(t, "its dashboard_agent ended", LastWords(p))
	}
}

// A cause that stands behind Ray's request to report it is quoted in full.
func TestLastWords_CutBehindTheCause(t *testing.T) {
	cause := "Check failed: status.ok() IOError: cannot bind 10.0.0.1:7001: Address already in use, and so on for a while"
	require.Greater(t, len(boilerplate)+len(cause), 280)
	require.Equal(t, cause, LastWords(logged(t, "", "", fatal[:len(fatal)-len("Check failed: ")]+cause+"\n")))
}

// The second raylet of a session has logs of its own: of Ray 2.60 the command line says which, of
// an older one the process.
func TestProgram_Of(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) *os.File {
		f, err := os.Create(filepath.Join(dir, name))
		require.NoError(t, err)
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	write("raylet.out")
	p := Identify([]string{"/v/raylet", "--log_dir=" + dir})
	require.Equal(t, filepath.Join(dir, "raylet.err"), p.WithLogsOf(0).Stderr, "nobody knows better")
	require.Empty(t, Program{Name: "raylet"}.WithLogsOf(0).Stderr)

	second := startWith(t, write("raylet.1.out"), write("raylet.1.err"))
	require.Equal(t, filepath.Join(dir, "raylet.1.out"), p.WithLogsOf(second).Stdout)
	require.Equal(t, filepath.Join(dir, "raylet.1.err"), p.WithLogsOf(second).Stderr)

	elsewhere := startWith(t, nil, nil)
	require.Equal(t, filepath.Join(dir, "raylet.out"), p.WithLogsOf(elsewhere).Stdout)

	said := logged(t, ".1", "", "")
	require.Equal(t, said, said.WithLogsOf(second))
}

// startWith starts a process that stays, and returns its PID.
func startWith(t *testing.T, stdout, stderr *os.File) int {
	t.Helper()
	cmd := exec.Command("/bin/sleep", "60")
	if stdout != nil {
		cmd.Stdout, cmd.Stderr = stdout, stderr
	}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}
