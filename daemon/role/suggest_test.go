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
		{r, toml.Key{"ROLE"}, "role"},
		{r, toml.Key{"rol"}, "role"},
		{r, toml.Key{"watchdogs"}, "watchdog"},
		{r, toml.Key{"head"}, "cluster.head"},
		{r, toml.Key{"nodes"}, "cluster.nodes"},
		{r, toml.Key{"x"}, ""},
		{r, toml.Key{"more"}, ""},
		{r, toml.Key{strings.Repeat("a", 1<<16)}, ""},
		{r, toml.Key{""}, ""},
		{r, toml.Key{"doctor"}, ""},
		{r.Cluster, toml.Key{"cluster", "haed"}, "cluster.head"},
		{r.Cluster, toml.Key{"cluster", "timeout"}, "cluster.join_timeout"},
		{r.Cluster, toml.Key{"cluster", "Nodes"}, "cluster.nodes"},
		{r.Cluster, toml.Key{"cluster", "grace"}, "stop.grace"},
		{r.Ray.Ports, toml.Key{"ray", "ports", "worker"}, "ray.ports.worker_min"},
		{r.Watchdog, toml.Key{"watchdog", "intervall"}, "watchdog.check_interval"},
		{r.Auth, toml.Key{"auth", "token"}, "auth.token_file"},
		{r.Node, toml.Key{"node", "id"}, "node.ip"},
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
