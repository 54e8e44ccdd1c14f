package ray

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIdentify_RealCommandLines(t *testing.T) {
	cases := []struct {
		args string
		want Program
	}{
		{
			"/v/ray/core/src/ray/gcs/gcs_server --log_dir=/t/s/logs --gcs_server_port=7111",
			Program{Name: "gcs_server", Vital: true, LogDir: "/t/s/logs"},
		},
		{
			"/v/ray/core/src/ray/raylet/raylet --raylet_socket_name=/t/raylet --node_id=46daae8e --log_dir=/t/s/logs " +
				"--dashboard_agent_command=/v/python /v/ray/dashboard/agent.py --x",
			Program{Name: "raylet", Vital: true, NodeID: "46daae8e", LogDir: "/t/s/logs"},
		},
		{
			"/v/bin/python3 -u /v/ray/autoscaler/_private/monitor.py --logs-dir=/t/s/logs",
			Program{Name: "monitor", LogDir: "/t/s/logs"},
		},
		{"/v/bin/python3 -m ray.util.client.server --address=1:2", Program{Name: "ray_client_server"}},
		{
			"/v/bin/python3 /v/ray/dashboard/dashboard.py --host=127.0.0.1 --log-dir=/t/s/logs",
			Program{Name: "dashboard", LogDir: "/t/s/logs"},
		},
		{
			"/v/bin/python3 -u /v/ray/_private/log_monitor.py --session-dir=/t/s --logs-dir=/t/s/logs",
			Program{Name: "log_monitor", LogDir: "/t/s/logs"},
		},
		{"/v/bin/python3 /v/bin/ray start --head --port=7111", Program{}},
		{"/home/me/gpu_monitor.py", Program{}},
		{"", Program{}},
	}
	for _, c := range cases {
		require.Equal(t, c.want, Identify(strings.Fields(c.args)), c.args)
	}
	require.Equal(t, Program{}, Identify(nil))
}

func TestLastWords(t *testing.T) {
	cases := []struct{ name, out, err, want string }{
		{"nothing", "", "", ""},
		{
			"the last error of the log, not the chatter after it",
			"[2026-11-23 09:14:50,840 E 9638 9679] (raylet) node_manager.cc:1083: The GCS said so\n[2026-11-23 09:14:50,841 " +
				"I 9638 9638] (raylet) stats.h:176: Stats module has shutdown.\n",
			"", "The GCS said so",
		},
		{
			"stderr before stdout",
			"[2026-11-23 09:14:50,840 E 1 1] (raylet) a.cc:1: from out\n",
			"[2026-11-23 09:14:50,840 C 1 1] (raylet) b.cc:2:  Check failed: x == y\n*** SIGABRT ***\n",
			"Check failed: x == y",
		},
		{
			"else the last line of stderr", "[2026-11-23 09:14:50,840 I 1 1] (raylet) a.cc:1: all is well\n",
			"\x1b[31mTraceback\x1b[0m\n\nOSError: no space\x07 left\n", "OSError: no space  left",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "raylet.out"), []byte(c.out), 0o600))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "raylet.err"), []byte(c.err), 0o600))
			require.Equal(t, c.want, LastWords(Program{Name: "raylet", LogDir: dir}.WithLogsOf(0)))
		})
	}
	require.Empty(t, LastWords(Program{Name: "raylet"}))
}

func TestOutputWords_Traceback(t *testing.T) {
	file := filepath.Join(t.TempDir(), "start.log")
	require.NoError(
		t,
		os.WriteFile(file, []byte("Traceback (most recent call last):\n  File \"x\"\nValueError: too many GPUs\n"), 0o600),
	)
	require.Equal(t, "ValueError: too many GPUs", OutputWords(file))
	require.False(t, VersionsDiffer(file))

	require.NoError(
		t,
		os.WriteFile(
			file,
			[]byte(
				"RuntimeError: Version mismatch: The cluster was started with:\n    Ray: 2.60.0\n"+
					strings.Repeat("x", tailSize)+"\n",
			),
			0o600,
		),
	)
	require.Equal(t, strings.Repeat("x", maxWords)+"…", OutputWords(file))
	require.NoError(
		t,
		os.WriteFile(file, []byte("RuntimeError: Version mismatch: The cluster was started with:\n    Ray: 2.60.0\n"), 0o600),
	)
	require.True(t, VersionsDiffer(file))
}
