package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFindDirs(t *testing.T) {
	own := fmt.Sprintf("/tmp/raynoded-%d/grpo", os.Getuid())
	unprivileged := Dirs{State: own, Run: own, Temp: own + "/ray", private: filepath.Dir(own)}
	with := func(place Dirs, change func(*Dirs)) Dirs { change(&place); return place }
	cases := []struct {
		name     string
		env      map[string]string
		root     Dirs
		ordinary Dirs
	}{
		{
			"by hand", nil, Dirs{"/var/lib/raynoded/grpo", "/run/raynoded/grpo", "/var/lib/raynoded/grpo/ray", ""},
			unprivileged,
		},
		{
			"by systemd", map[string]string{"STATE_DIRECTORY": "/var/lib/raynoded/x", "RUNTIME_DIRECTORY": "/run/raynoded/x"},
			Dirs{
				"/var/lib/raynoded/x", "/run/raynoded/x", "/var/lib/raynoded/x/ray", "",
			}, Dirs{"/var/lib/raynoded/x", "/run/raynoded/x", "/var/lib/raynoded/x/ray", ""},
		},
		{
			"in a session", map[string]string{"XDG_RUNTIME_DIR": "/run/user/1000", "XDG_STATE_HOME": "/home/me/.local/state"},
			Dirs{"/var/lib/raynoded/grpo", "/run/raynoded/grpo", "/var/lib/raynoded/grpo/ray", ""},
			with(
				unprivileged,
				func(p *Dirs) { p.State, p.Run = "/home/me/.local/state/raynoded/grpo", "/run/user/1000/raynoded/grpo" },
			),
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want := c.ordinary
			if os.Getuid() == 0 {
				want = c.root
			}
			require.Equal(t, want, FindDirs("grpo", func(name string) string { return c.env[name] }))
		})
	}
}

func TestPlace_Record(t *testing.T) {
	p := Dirs{State: t.TempDir()}
	end := End{Time: time.Date(2026, 11, 23, 9, 14, 9, 0, time.UTC), Role: "worker", Reason: "asked to stop: terminated"}
	require.NoError(t, p.Record(end))
	text, err := os.ReadFile(filepath.Join(p.State, "last-end.json"))
	require.NoError(t, err)
	require.JSONEq(
		t, `{"time": "2026-11-23T09:14:09Z", "role": "worker", "reason": "asked to stop: terminated", "exit_code": 0}`,
		string(text),
	)
	entries, err := os.ReadDir(p.State)
	require.NoError(t, err)
	require.Len(t, entries, 1)
}
