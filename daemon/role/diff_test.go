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
		"nothing": {more: ""},
		"the same in other words": {
			more: "[watchdog]\nsilent = '30000ms'\n[ray]\nextra_args = ['--verbose']\nresources = {}",
		},
		"a live table": {
			more: "[watchdog]\nsilent = '40s'\nrefused = '1s'",
			want: []Change{{Key: "watchdog.refused", Live: true}, {Key: "watchdog.silent", Live: true}},
		},
		"live keys": {
			more: "[cluster]\nname = 'x'\nnodes = 3\njoin_timeout = '1m'\n[ray]\nkeep_sessions = 1",
			want: []Change{
				{Key: "cluster.name", Live: true}, {Key: "cluster.nodes", Live: true},
				{Key: "cluster.join_timeout", Live: true}, {Key: "ray.keep_sessions", Live: true},
			},
		},
		"the role":                  {more: "role = 'head'", want: []Change{{Key: "role"}}},
		"an address":                {more: "cluster.head = 'b:1'", want: []Change{{Key: "cluster.head"}}},
		"a number behind a pointer": {more: "ray.num_gpus = 4", want: []Change{{Key: "ray.num_gpus"}}},
		"one that was not said":     {more: "ray.num_cpus = 0", want: []Change{{Key: "ray.num_cpus"}}},
		"entries of a table": {
			more: "ray.labels = { rack = 'r8', 'a/b' = 'x' }",
			want: []Change{{Key: `ray.labels."a/b"`}, {Key: "ray.labels.rack"}},
		},
		"a list": {more: "ray.extra_args = []", want: []Change{{Key: "ray.extra_args"}}},
		"a port": {more: "ray.ports.dashboard = 1", want: []Change{{Key: "ray.ports.dashboard"}}},
		"a table that was missing": {
			more: "role = 'auto'\n[cluster.auto]\nrank = 'R'\nnodes = 'N'\nhead_host = 'H'",
			want: []Change{{Key: "role"}, {Key: "cluster.auto"}},
		},
		"live and not": {
			more: "[node]\nip = '10.0.0.1'\n[stop]\ngrace = '1s'\n[log]\nlevel = 'debug'",
			want: []Change{{Key: "node.ip"}, {Key: "stop.grace", Live: true}, {Key: "log.level", Live: true}},
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
