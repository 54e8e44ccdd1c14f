package role

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite testdata/bad/*.err")

// Each file of testdata/bad is refused with the very text beside it.
func TestLoad_Bad(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "bad"))
	for _, file := range glob(t, "*.toml") {
		t.Run(file, func(t *testing.T) {
			_, err := Load(file)
			var problems Problems
			require.ErrorAs(t, err, &problems)
			got := err.Error() + "\n"
			beside := strings.TrimSuffix(file, ".toml") + ".err"
			if *update {
				require.NoError(t, os.WriteFile(beside, []byte(got), 0o644))
			}
			want, err := os.ReadFile(beside)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
			for _, p := range problems {
				if p.Key != "auth.mode" {
					require.NotContains(t, p.Text, "s3cret")
				}
			}
		})
	}
}

func TestLoad_AllComplaintsAtOnce(t *testing.T) {
	_, err := Load(filepath.Join("testdata", "bad", "ten_mistakes.toml"))
	var problems Problems
	require.ErrorAs(t, err, &problems)
	require.Len(t, problems, 10)
}

func TestLoad_Good(t *testing.T) {
	for _, file := range glob(t, filepath.Join("testdata", "good", "*.toml")) {
		_, err := Load(file)
		require.NoError(t, err)
	}
}

func TestLoad_EveryKey(t *testing.T) {
	file := filepath.Join("testdata", "good", "full.toml")
	got, err := Load(file)
	require.NoError(t, err)
	gpus, cpus := 0, 16
	require.Equal(t, &Role{
		Name:  "full",
		Files: []string{file},
		Kind:  Head,
		Cluster: Cluster{
			Name:        "grpo-a",
			Head:        Address{Host: "2001:db8::1", Port: 6379},
			Nodes:       4,
			ID:          "0123456789abcdef0123456789abcdef0123456789abcdef01234567",
			JoinTimeout: Duration{90 * time.Minute},
		},
		Node: Node{Name: "gpu-001", Interface: "ib0"},
		Ray: Ray{
			Bin:               "/srv/ray/bin/ray",
			TempDir:           "/srv/forty-one-bytes-are-allowed-here-ray",
			NumGPUs:           &gpus,
			NumCPUs:           &cpus,
			Memory:            500e9,
			ObjectStoreMemory: 64 << 30,
			Resources:         map[string]float64{"trainer": 1, "verifier": 2},
			Labels:            map[string]string{"ray.io/zone": "a", "rack": "r-7", "empty": ""},
			DashboardHost:     "0.0.0.0",
			StartTimeout:      Duration{10 * time.Minute},
			KeepSessions:      1,
			ExtraArgs:         []string{"--verbose", "--labels-file=/etc/ray/labels"},
			Ports: Ports{
				NodeManager: 7001, ObjectManager: 7002, WorkerMin: 20000, WorkerMax: 29999,
				MetricsExport: 7003, Dashboard: 8265, DashboardAgent: 52365,
				DashboardAgentGRPC: 7004, RuntimeEnvAgent: 7005, ClientServer: 10001,
			},
			SystemConfig: map[string]any{
				"task_retry_delay_ms": int64(10),
				"ratio":               0.5,
				"flag":                true,
				"more":                []map[string]any{{"b": int64(2)}},
				"nested": map[string]any{
					"list":   []any{int64(1), "a"},
					"tables": []any{map[string]any{"a": int64(1)}},
				},
			},
		},
		Watchdog: Watchdog{
			OnHeadLoss:    Rejoin,
			Refused:       Duration{time.Second},
			Silent:        Duration{time.Minute},
			Stuck:         Duration{2 * time.Minute},
			HeadReturn:    Duration{time.Hour},
			CheckInterval: Duration{100 * time.Millisecond},
		},
		Stop: Stopping{Drain: Duration{time.Minute}},
		Job: Job{
			Command:     []string{"python3", "train.py", "--lr=1e-6", ""},
			Dir:         "/srv/train",
			WaitNodes:   3,
			WaitGPUs:    24,
			WaitTimeout: Duration{time.Minute},
		},
		Env:        map[string]string{"NCCL_IB_TIMEOUT": "22", "HF_TOKEN": ""},
		EnvOrigins: map[string]string{"NCCL_IB_TIMEOUT": file + ":69 [env]", "HF_TOKEN": file + ":70 [env]"},
		EnvFrom: EnvFrom{
			Profiles:     []string{"infiniband", "large"},
			Files:        []string{"/etc/raynoded/secrets.env", "credential:wandb"},
			Inherit:      []string{"SLURM_*", "MY_OWN"},
			NCCLDelivery: DeliverEnv,
		},
		Auth:   Auth{Mode: Token, TokenFile: "/etc/raynoded/token"},
		Reload: Reload{Restart: Always},
		Log:    Log{Level: "debug", Format: LogJSON},
	}, got)
	require.True(t, got.Standing())
	require.Equal(t, 3, got.WaitNodes())
	_, err = json.Marshal(got.Ray.SystemConfig)
	require.NoError(t, err)
}

func TestLoad_Defaults(t *testing.T) {
	r := load(
		t,
		map[string]string{"worker.toml": "role = 'worker'\ncluster = { head = 'a:1', nodes = 2 }\nauth.mode = 'none'"},
	)
	require.Equal(t, "worker", r.Name)
	require.Equal(t, 20*time.Minute, r.Cluster.JoinTimeout.Duration)
	require.Nil(t, r.Cluster.Auto)
	require.Equal(t, "/opt/ray/bin/ray", r.Ray.Bin)
	require.Empty(t, r.Ray.TempDir)
	require.Nil(t, r.Ray.NumCPUs)
	require.Nil(t, r.Ray.NumGPUs)
	require.Equal(t, "127.0.0.1", r.Ray.DashboardHost)
	require.Equal(t, 5*time.Minute, r.Ray.StartTimeout.Duration)
	require.Equal(t, Watchdog{
		OnHeadLoss:    Stop,
		Refused:       Duration{500 * time.Millisecond},
		Silent:        Duration{30 * time.Second},
		Stuck:         Duration{time.Minute},
		HeadReturn:    Duration{15 * time.Minute},
		CheckInterval: Duration{5 * time.Second},
	}, r.Watchdog)
	require.Equal(t, 3, r.Ray.KeepSessions)
	require.Zero(t, r.Stop.Drain)
	require.Equal(t, 5*time.Second, r.Stop.Grace.Duration)
	require.Equal(t, 20*time.Minute, r.Job.WaitTimeout.Duration)
	require.Equal(t, Log{Level: "info"}, r.Log)
	require.Empty(t, r.Env)
	require.Equal(t, EnvFrom{NCCLDelivery: DeliverFile}, r.EnvFrom)
	require.False(t, r.Standing())
	require.Equal(t, 2, r.WaitNodes())
}

func TestLoad_PersistentHead(t *testing.T) {
	r, err := Load(filepath.Join("testdata", "good", "persistent.toml"))
	require.NoError(t, err)
	require.True(t, r.Cluster.PersistentHead)
	require.Equal(t, Address{Host: "redis.example.net", Port: 6379}, r.Cluster.Redis)
	refused, silent, stuck := r.Windows()
	require.Equal(t, []time.Duration{time.Minute, time.Minute, time.Minute}, []time.Duration{refused, silent, stuck})
}

func TestLoad_LauncherNamesTheHead(t *testing.T) {
	for file, want := range map[string]Address{
		"auto_launcher":      {Port: 6379},
		"auto_launcher_port": {Port: 6380},
	} {
		r, err := Load(filepath.Join("testdata", "good", file+".toml"))
		require.NoError(t, err)
		require.Equal(t, want, r.Cluster.Head)
		require.NotNil(t, r.Cluster.Auto)
	}
}

func TestProblem_JSON(t *testing.T) {
	data, err := json.Marshal(Problem{File: "a.toml", Line: 1, Col: 2, Key: "role", Text: "must be"})
	require.NoError(t, err)
	require.JSONEq(t, `{"file":"a.toml","line":1,"column":2,"key":"role","message":"must be"}`, string(data))
}

func TestProblem_StaysOnOneLine(t *testing.T) {
	require.Equal(t, "a b.toml:1:1: x", Problem{File: "a\nb.toml", Line: 1, Col: 1, Text: "x"}.String())
	require.Equal(t, `"`+strings.Repeat("ü", 64)+`"...`, got(strings.Repeat("ü", 65)))
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// write makes the files in a new folder, which becomes the working directory,
// and returns the one that is no drop-in.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	var main string
	for name, text := range files {
		if filepath.Dir(name) == "." {
			main = name
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o644))
	}
	return main
}

func load(t *testing.T, files map[string]string) *Role {
	t.Helper()
	r, err := Load(write(t, files))
	require.NoError(t, err)
	return r
}
