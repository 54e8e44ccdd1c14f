package role

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSettings_TOML(t *testing.T) {
	path := write(t, map[string]string{
		"role.toml": `role = "head"
cluster = { head = "gpu-001:6379", nodes = 4 }
[ray]
memory = "64GiB"
object_store_memory = "100000000000"
num_cpus = 0
labels = { "ray.io/zone" = "a-b" }
[ray.system_config]
ratio = 0.5
deep = { list = [1, "a\"", true], "b c" = { x = 1 } }
[auth]
mode = "none"
`,
		"role.toml.d/10.toml": "[watchdog]\nsilent = '90m'\n[ray.labels]\nrack = 'r7'\n",
		"role.toml.d/20.toml": "[watchdog]\nsilent = '1h'\n",
	})
	files := Read(path)
	got := TOML(mustSettings(t, files))
	require.Equal(t, `role = "head"  # role.toml:1

[cluster]
name = ""  # default
head = "gpu-001:6379"  # role.toml:2
nodes = 4  # role.toml:2
id = ""  # default
join_timeout = "20m"  # default
persistent_head = false  # default

[node]
name = ""  # default
interface = ""  # default
ip = ""  # default

[ray]
bin = "/opt/ray/bin/ray"  # default
temp_dir = ""  # default
num_cpus = 0  # role.toml:6
memory = "64GiB"  # role.toml:4
object_store_memory = "100GB"  # role.toml:5
dashboard_host = "127.0.0.1"  # default
start_timeout = "5m"  # default
keep_sessions = 3  # default
extra_args = []  # default

[ray.labels]
rack = "r7"  # role.toml.d/10.toml:4
"ray.io/zone" = "a-b"  # role.toml:7

[ray.ports]
node_manager = 0  # default
object_manager = 0  # default
worker_min = 0  # default
worker_max = 0  # default
metrics_export = 0  # default
dashboard = 0  # default
dashboard_agent = 0  # default
dashboard_agent_grpc = 0  # default
runtime_env_agent = 0  # default
client_server = 0  # default

[ray.system_config]
deep = { "b c" = { x = 1 }, list = [1, "a\"", true] }  # role.toml:10
ratio = 0.5  # role.toml:9

[watchdog]
on_head_loss = "stop"  # default
refused = "500ms"  # default
silent = "1h"  # role.toml.d/20.toml:2
stuck = "1m"  # default
head_return = "15m"  # default
check_interval = "5s"  # default

[stop]
drain = "0s"  # default
grace = "5s"  # default

[job]
command = []  # default
dir = ""  # default
wait_nodes = 0  # default
wait_gpus = 0  # default
wait_timeout = "20m"  # default

[env_from]
profiles = []  # default
files = []  # default
inherit = []  # default
nccl_delivery = "file"  # default

[auth]
mode = "none"  # role.toml:12
token_file = ""  # default

[reload]
restart = "never"  # default

[log]
level = "info"  # default
`, got)
}

// What is printed is a role file that says the same.
func TestSettings_RoundTrip(t *testing.T) {
	for _, pattern := range []string{"testdata/good/*.toml", reference + "/*.toml"} {
		for _, file := range glob(t, pattern) {
			want, err := Load(file)
			require.NoError(t, err)
			printed := filepath.Join(t.TempDir(), filepath.Base(file))
			require.NoError(t, os.WriteFile(printed, []byte(TOML(mustSettings(t, Read(file)))), 0o600))
			got, err := Load(printed)
			require.NoError(t, err)
			// [[a.b]] is printed as a.b = [{…}], which the parser gives another type.
			wantConfig, err := json.Marshal(
				want.Ray.SystemConfig,
			)
			require.NoError(t, err)
			gotConfig, err := json.Marshal(got.Ray.SystemConfig)
			require.NoError(t, err)
			require.Equal(t, strings.ReplaceAll(string(wantConfig), "{}", "null"), string(gotConfig))
			want.Ray.SystemConfig = got.Ray.SystemConfig
			require.Empty(t, Diff(want, got), file)
		}
	}
}

func TestSettings_JSON(t *testing.T) {
	all := mustSettings(t, Files{texts: []text{{path: "a.toml", data: []byte("role = 'single'\nstop.grace = '1s'")}}})
	for _, s := range all {
		value, err := json.Marshal(s.Value)
		require.NoError(t, err)
		require.NotEqual(t, "null", string(value), s.Key)
	}
	data, err := json.Marshal([]Setting{all[0], all[len(all)-2]})
	require.NoError(t, err)
	require.JSONEq(t, `[
		{"key": "role", "value": "single", "file": "a.toml", "line": 1, "live": false},
		{"key": "reload.restart", "value": "never", "file": "", "line": 0, "live": true}
	]`, string(data))
}

func TestSettings_Bad(t *testing.T) {
	_, err := Files{texts: []text{{path: "a.toml", data: []byte("role = 1")}}}.Settings()
	require.EqualError(t, err, `a.toml:1:8: role: must be "head", "worker", "single" or "auto", got 1`)
}

func TestDuration_Written(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "500ms": 500 * time.Millisecond, "1m": time.Minute, "1m30s": 90 * time.Second, "1h": time.Hour,
		"1h30m":  90 * time.Minute,
		"1h0m1s": time.Hour + time.Second, "10m": 10 * time.Minute, "20h": 20 * time.Hour,
	} {
		require.Equal(t, want, Duration{d}.text())
		var back Duration
		require.NoError(t, back.UnmarshalText([]byte(want)))
		require.Equal(t, d, back.Duration)
	}
}

func TestSize_Written(t *testing.T) {
	for want, s := range map[string]Size{"0": 0, "1": 1, "1KB": 1000, "1KiB": 1024, "64GiB": 64 << 30, "100MB": 100e6,
		"1500KB": 1500e3, "1TiB": 1 << 40} {
		require.Equal(t, want, s.text())
		var back Size
		require.NoError(t, back.UnmarshalText([]byte(want)))
		require.Equal(t, s, back)
	}
}
