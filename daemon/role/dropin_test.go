package role

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestLoad_DropIns(t *testing.T) {
	r := load(t, map[string]string{
		"role.toml": `
			role = "auto"
			[cluster]
			name = "main"
			nodes = 2
			auto = { rank = "A", nodes = "B" }
			[ray]
			num_gpus = 8
			resources = { a = 1, b = 2 }
			labels.x = "main"
			extra_args = ["--verbose", "--a"]
			system_config = { keep = 1, deep = { keep = 1, over = 1 }, list = [1, 2], shape = { a = 1 } }
			[auth]
			mode = "none"`,
		"role.toml.d/10-a.toml": `
			[cluster]
			name = "ten"
			nodes = 3
			[ray.resources]
			b = 3
			c = 4`,
		"role.toml.d/9-b.toml": `
			ray.num_gpus = 0
			ray.extra_args = ["--b"]
			ray.labels.y = "nine"
			ray.system_config = { deep = { over = 2, new = 2 }, list = [3], shape = 7 }
			[cluster]
			name = "nine"
			nodes = 0
			[cluster.auto]
			head_host = "C"
			[watchdog]
			silent = "1m"`,
		"role.toml.d/.hidden.toml":  `nonsense`,
		"role.toml.d/c.toml.bak":    `nonsense`,
		"role.toml.d/c.toml~":       `nonsense`,
		"role.toml.d/README":        `nonsense`,
		"role.toml.d/sub/role.toml": `nonsense`,
	})
	require.Equal(t, []string{"role.toml", "role.toml.d/10-a.toml", "role.toml.d/9-b.toml"}, r.Files)
	require.Equal(t, "role", r.Name)
	require.Equal(t, "nine", r.Cluster.Name)
	require.Zero(t, r.Cluster.Nodes)
	require.Equal(t, &AutoVars{Rank: "A", Nodes: "B", HeadHost: "C"}, r.Cluster.Auto)
	require.Zero(t, *r.Ray.NumGPUs)
	require.Equal(t, map[string]float64{"a": 1, "b": 3, "c": 4}, r.Ray.Resources)
	require.Equal(t, map[string]string{"x": "main", "y": "nine"}, r.Ray.Labels)
	require.Equal(t, []string{"--b"}, r.Ray.ExtraArgs)
	require.Equal(t, map[string]any{
		"keep":  int64(1),
		"deep":  map[string]any{"keep": int64(1), "over": int64(2), "new": int64(2)},
		"list":  []any{int64(3)},
		"shape": int64(7),
	}, r.Ray.SystemConfig)
	require.Equal(t, time.Minute, r.Watchdog.Silent.Duration)
	require.Equal(t, 500*time.Millisecond, r.Watchdog.Refused.Duration)
}

func TestLoad_DropInComplaints(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"files come in order, then places": {
			map[string]string{
				"role.toml":          "role = 'single'\nnonsense = 1\n[log]\nlevel = 'loud'",
				"role.toml.d/b.toml": "more = 1",
				"role.toml.d/a.toml": "\n[ray]\nbin = 'ray'\nports.dashboard = -1",
			},
			[]string{
				"role.toml:2:12: nonsense: unknown key",
				`role.toml:4:10: log.level: must be "trace", "debug", "info", "warning" or "error", got "loud"`,
				`role.toml.d/a.toml:3:8: ray.bin: must be an absolute path, got "ray"`,
				"role.toml.d/a.toml:4:19: ray.ports.dashboard: must be 0 or a port from 1 to 65535, got -1",
				"role.toml.d/b.toml:1:8: more: unknown key",
			},
		},
		"what is laid over is still wrong": {
			map[string]string{
				"role.toml":          "role = 'single'\n[ray]\nbin = 'ray'\nnum_cpus = 'x'",
				"role.toml.d/a.toml": "[ray]\nbin = '/ray'\nnum_cpus = 1",
			},
			[]string{
				`role.toml:3:8: ray.bin: must be an absolute path, got "ray"`,
				`role.toml:4:13: ray.num_cpus: must be a whole number, got "x"`,
			},
		},
		"a clash is where the last value is": {
			map[string]string{
				"role.toml":          "role = 'worker'\nauth.mode = 'none'\n[cluster]\nhead = 'a:1'\n[node]\nip = '10.0.0.1'",
				"role.toml.d/a.toml": "[node]\ninterface = 'eth0'\nip = '10.0.0.2'",
				"role.toml.d/b.toml": "[ray]\nports.worker_min = 2000",
			},
			[]string{
				`role.toml.d/a.toml:3:7: node.ip: must not be set together with node.interface, got "10.0.0.2"`,
				"role.toml.d/b.toml:2:20: ray.ports.worker_min: must come with ray.ports.worker_max, got 2000",
			},
		},
		"a missing key belongs into its first table": {
			map[string]string{
				"role.toml":          "role = 'worker'",
				"role.toml.d/a.toml": "[cluster]\nname = 'x'",
				"role.toml.d/b.toml": "\n[cluster]\nname = 'y'",
			},
			[]string{
				`role.toml:1:1: auth.mode: must be "token" or "none", there is no default, got nothing`,
				`role.toml.d/a.toml:1:1: cluster.head: must be host:port, such as "gpu-001:6379", got nothing`,
			},
		},
		"a broken file does not hide the others": {
			map[string]string{
				"role.toml":          "role = 'worker'\nx = 1",
				"role.toml.d/a.toml": "[cluster\nhead = 'a:1'",
				"role.toml.d/b.toml": "[auth]\nmode = 1",
			},
			[]string{
				"role.toml:2:5: x: unknown key",
				`role.toml.d/a.toml:1:9: must be valid TOML: expected '.' or ']' to end table name, but got '\n' instead`,
				`role.toml.d/b.toml:2:8: auth.mode: must be "token" or "none", got 1`,
			},
		},
		"the role file itself is broken": {
			map[string]string{
				"role.toml":          "role =",
				"role.toml.d/a.toml": "ray.bin = 1",
			},
			[]string{
				"role.toml:1:6: must be valid TOML: unexpected EOF; expected value",
				"role.toml.d/a.toml:1:11: ray.bin: must be a string, got 1",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, c.files))
			require.EqualError(t, err, strings.Join(c.want, "\n"))
		})
	}
}

func TestLoad_NoFile(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := Load("role.toml")
	require.ErrorIs(t, err, ErrNoFile)
	require.EqualError(t, err, "cannot load role.toml: there is no role file")
	_, err = Load(".toml")
	require.EqualError(t, err, "cannot load .toml: the name of a role file must be NAME.toml")
}

// The name of a file that a template's validator made need not end in .toml.
func TestLoad_OtherName(t *testing.T) {
	r := load(t, map[string]string{"tmp.x7f3": "role = 'single'"})
	require.Equal(t, "tmp.x7f3", r.Name)
}

func TestLoad_NotAFile(t *testing.T) {
	write(t, map[string]string{"role.toml": "role = 'single'\nx = 1"})
	require.NoError(t, os.Mkdir("folder.toml", 0o755))
	_, err := Load("folder.toml")
	require.EqualError(t, err, "folder.toml:1:1: must be a regular file")

	require.NoError(t, os.Mkdir("role.toml.d", 0o755))
	require.NoError(t, unix.Mkfifo("role.toml.d/a.toml", 0o600))
	require.NoError(t, os.Symlink("nowhere", "role.toml.d/b.toml"))
	_, err = Load("role.toml")
	require.EqualError(t, err, `role.toml:2:5: x: unknown key
role.toml.d/a.toml:1:1: must be a regular file
role.toml.d/b.toml:1:1: cannot read: no such file or directory`)

	require.NoError(t, os.RemoveAll("role.toml.d"))
	require.NoError(t, os.WriteFile("role.toml.d", nil, 0o600))
	_, err = Load("role.toml")
	require.EqualError(t, err, `role.toml:2:5: x: unknown key
role.toml.d:1:1: cannot list the drop-ins: not a directory`)
}

func TestLoad_Links(t *testing.T) {
	write(t, map[string]string{"role.toml": "role = 'single'", "host/1.toml": "cluster.name = 'linked'"})
	require.NoError(t, os.Symlink("host", "role.toml.d"))
	r, err := Load("role.toml")
	require.NoError(t, err)
	require.Equal(t, "linked", r.Cluster.Name)
}

func TestLoad_Limits(t *testing.T) {
	const head = "role = 'single'\n#"
	full := head + strings.Repeat("x", maxFile-len(head))
	load(t, map[string]string{"role.toml": full})
	_, err := Load(write(t, map[string]string{"role.toml": full + "x"}))
	require.EqualError(t, err, "role.toml:1:1: must be at most 1048576 bytes long, got 1048577")

	labels := "role = 'single'\n[ray.labels]\n"
	for i := range maxKeys - 2 {
		labels += fmt.Sprintf("k%d = 'v'\n", i)
	}
	load(t, map[string]string{"role.toml": labels})
	_, err = Load(write(t, map[string]string{"role.toml": labels + "k = 'v'"}))
	require.EqualError(t, err, "role.toml:1001:3: must hold at most 1000 keys")

	write(t, map[string]string{"role.toml": "role = 'single'"})
	require.NoError(t, os.Mkdir("role.toml.d", 0o755))
	for i := range maxDropIns + 1 {
		require.NoError(t, os.WriteFile(filepath.Join("role.toml.d", fmt.Sprintf("%d.toml", i)), nil, 0o600))
	}
	_, err = Load("role.toml")
	require.EqualError(t, err, "role.toml.d:1:1: must hold at most 1000 drop-ins, got 1001")
	require.NoError(t, os.Remove("role.toml.d/0.toml"))
	_, err = Load("role.toml")
	require.NoError(t, err)
}
