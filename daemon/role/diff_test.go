package role

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const base = `role = "worker"
[cluster]
head = "a:1"
[ray]
num_gpus = 8
labels = { rack = "r7", row = "2" }
extra_args = ["--verbose"]
[auth]
mode = "none"
`

func TestDiff(t *testing.T) {
	for name, c := range map[string]struct {
		more string
		want []Change
	}{
		"nothing": {"", nil},
		"the same in other words": {
			"[watchdog]\nsilent = '30000ms'\n[ray]\nextra_args = ['--verbose']\nresources = {}", nil,
		},
		"a live table": {
			"[watchdog]\nsilent = '40s'\nrefused = '1s'", []Change{{"watchdog.refused", true}, {"watchdog.silent", true}},
		},
		"live keys": {
			"[cluster]\nname = 'x'\nnodes = 3\njoin_timeout = '1m'\n[ray]\nkeep_sessions = 1",
			[]Change{{"cluster.name", true}, {"cluster.nodes", true}, {"cluster.join_timeout", true}, {"ray.keep_sessions",
				true}},
		},
		"the role":                  {"role = 'head'", []Change{{"role", false}}},
		"an address":                {"cluster.head = 'b:1'", []Change{{"cluster.head", false}}},
		"a number behind a pointer": {"ray.num_gpus = 4", []Change{{"ray.num_gpus", false}}},
		"one that was not said":     {"ray.num_cpus = 0", []Change{{"ray.num_cpus", false}}},
		"entries of a table": {
			"ray.labels = { rack = 'r8', 'a b' = 'x' }", []Change{{`ray.labels."a b"`, false}, {"ray.labels.rack", false}},
		},
		"a list": {"ray.extra_args = []", []Change{{"ray.extra_args", false}}},
		"a port": {"ray.ports.dashboard = 1", []Change{{"ray.ports.dashboard", false}}},
		"a table that was missing": {
			"role = 'auto'\n[cluster.auto]\nrank = 'R'\nnodes = 'N'\nhead_host = 'H'",
			[]Change{{"role", false}, {"cluster.auto", false}},
		},
		"live and not": {
			"[node]\nip = '10.0.0.1'\n[stop]\ngrace = '1s'\n[log]\nlevel = 'debug'",
			[]Change{{"node.ip", false}, {"stop.grace", true}, {"log.level", true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			old := load(t, map[string]string{"role.toml": base})
			next := load(t, map[string]string{"role.toml": base, "role.toml.d/a.toml": c.more})
			require.Equal(t, c.want, Diff(old, next))
			require.ElementsMatch(t, c.want, Diff(next, old), "the other way round")

			before := load(t, map[string]string{"role.toml": base})
			merged := old.WithLive(next)
			require.Equal(t, before, old, "untouched")
			for _, change := range Diff(old, merged) {
				require.True(t, change.Live, change.Key)
			}
			for _, change := range Diff(merged, next) {
				require.False(t, change.Live, change.Key)
			}
		})
	}
}

// What applies at once is a promise to operators.
func TestDiff_LiveKeys(t *testing.T) {
	var live []string
	for _, s := range mustSettings(t, Files{texts: []text{{path: "role.toml", data: []byte("role = 'single'")}}}) {
		if s.Live {
			live = append(live, s.Key)
		}
	}
	require.Equal(t, []string{
		"cluster.name", "cluster.nodes", "cluster.join_timeout", "ray.keep_sessions",
		"watchdog.on_head_loss", "watchdog.refused", "watchdog.silent", "watchdog.stuck", "watchdog.head_return",
		"watchdog.check_interval",
		"stop.drain", "stop.grace", "reload.restart", "log.level",
	}, live)
}

func mustSettings(t *testing.T, f Files) []Setting {
	t.Helper()
	all, err := f.Settings()
	require.NoError(t, err)
	return all
}
