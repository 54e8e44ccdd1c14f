package role

import (
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"
)

func TestGuess(t *testing.T) {
	var r Role
	for _, c := range []struct {
		table any
		key   toml.Key
		want  []string
	}{
		{table: r, key: toml.Key{"ROLE"}, want: []string{"role"}},
		{table: r, key: toml.Key{"rol"}, want: []string{"role"}},
		{table: r, key: toml.Key{"watchdogs"}, want: []string{"watchdog"}},
		{table: r, key: toml.Key{"head"}, want: []string{"cluster.head"}},
		{table: r, key: toml.Key{"nodes"}, want: []string{"cluster.nodes"}},
		{table: r, key: toml.Key{"x"}, want: nil},
		{table: r, key: toml.Key{"more"}, want: nil},
		{table: r, key: toml.Key{strings.Repeat("a", 1<<16)}, want: nil},
		{table: r, key: toml.Key{""}, want: nil},
		{table: r, key: toml.Key{"doctor"}, want: nil},
		{table: r.Cluster, key: toml.Key{"cluster", "haed"}, want: []string{"cluster.head"}},
		{table: r.Cluster, key: toml.Key{"cluster", "timeout"}, want: []string{"cluster.join_timeout"}},
		{table: r.Cluster, key: toml.Key{"cluster", "Nodes"}, want: []string{"cluster.nodes"}},
		{table: r, key: toml.Key{"num_gpu"}, want: []string{"ray.num_gpus"}},
		{table: r, key: toml.Key{"silent"}, want: []string{"watchdog.silent"}},
		{table: r.Cluster, key: toml.Key{"cluster", "watchdog"}, want: []string{"watchdog"}},
		{table: r.Cluster, key: toml.Key{"cluster", "Tokenfile"}, want: []string{"auth.token_file"}},
		{table: r.Ray, key: toml.Key{"ray", "worker_min"}, want: []string{"ray.ports.worker_min"}},
		{table: r.Stop, key: toml.Key{"stop", "wait_timeout"}, want: []string{"job.wait_timeout"}},
		{table: r.Log, key: toml.Key{"log", "mode"}, want: []string{"auth.mode"}},
		{table: r.Cluster, key: toml.Key{"cluster", "grace"}, want: []string{"stop.grace"}},
		{table: r.Ray.Ports, key: toml.Key{"ray", "ports", "worker"}, want: []string{"ray.ports.worker_min"}},
		{table: r.Watchdog, key: toml.Key{"watchdog", "intervall"}, want: []string{"watchdog.check_interval"}},
		{table: r.Auth, key: toml.Key{"auth", "token"}, want: []string{"auth.token_file"}},
		{table: r.Node, key: toml.Key{"node", "id"}, want: []string{"node.ip", "cluster.id"}},
	} {
		var siblings []string
		for _, field := range fields(reflect.TypeOf(c.table)) {
			siblings = append(siblings, keyOf(field))
		}
		require.Equal(t, c.want, guess(c.key, siblings, reflect.TypeFor[Role]()), "%.60s", c.key)
	}
}

func TestDistance(t *testing.T) {
	require.Equal(t, 0, distance("head", "head"))
	require.Equal(t, 1, distance("head", "heads"))
	require.Equal(t, 1, distance("haed", "head"))
	require.Equal(t, 4, distance("", "head"))
	require.Equal(t, 3, distance("kitten", "sitting"))
}
