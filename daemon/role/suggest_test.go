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
		want  string
	}{
		{table: r, key: toml.Key{"ROLE"}, want: "role"},
		{table: r, key: toml.Key{"rol"}, want: "role"},
		{table: r, key: toml.Key{"watchdogs"}, want: "watchdog"},
		{table: r, key: toml.Key{"head"}, want: "cluster.head"},
		{table: r, key: toml.Key{"nodes"}, want: "cluster.nodes"},
		{table: r, key: toml.Key{"x"}, want: ""},
		{table: r, key: toml.Key{"more"}, want: ""},
		{table: r, key: toml.Key{strings.Repeat("a", 1<<16)}, want: ""},
		{table: r, key: toml.Key{""}, want: ""},
		{table: r, key: toml.Key{"doctor"}, want: ""},
		{table: r.Cluster, key: toml.Key{"cluster", "haed"}, want: "cluster.head"},
		{table: r.Cluster, key: toml.Key{"cluster", "timeout"}, want: "cluster.join_timeout"},
		{table: r.Cluster, key: toml.Key{"cluster", "Nodes"}, want: "cluster.nodes"},
		{table: r.Cluster, key: toml.Key{"cluster", "grace"}, want: "stop.grace"},
		{table: r.Ray.Ports, key: toml.Key{"ray", "ports", "worker"}, want: "ray.ports.worker_min"},
		{table: r.Watchdog, key: toml.Key{"watchdog", "intervall"}, want: "watchdog.check_interval"},
		{table: r.Auth, key: toml.Key{"auth", "token"}, want: "auth.token_file"},
		{table: r.Node, key: toml.Key{"node", "id"}, want: "node.ip"},
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
