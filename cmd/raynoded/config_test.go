package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConfig(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("single", "role = \"single\"\n", "[stop]\ngrace = \"1s\"\n")
	p := command(t, nil, "config", h.role())
	require.Equal(t, 0, p.exit())
	require.Contains(
		t, p.output(), h.fill("role = \"single\"  # $DIR/single.toml:1\n\n[cluster]\nname = \"\"  # default\n"),
	)
	require.Contains(
		t, p.output(), h.fill("\n[stop]\ndrain = \"0s\"  # default\ngrace = \"1s\"  # $DIR/single.toml.d/0.toml:2\n"),
	)

	printed := filepath.Join(t.TempDir(), "printed.toml")
	require.NoError(t, os.WriteFile(printed, []byte(p.output()), 0o600))
	require.Equal(t, 0, command(t, nil, "check", printed).exit(), "what it prints is a role file")

	p = command(t, nil, "config", "--json", h.role())
	require.Equal(t, 0, p.exit())
	var got struct {
		Settings []struct {
			Key, File string
			Value     any
			Line      int
			Live      bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(p.output()), &got))
	require.Equal(t, "role", got.Settings[0].Key)
	require.Equal(t, "single", got.Settings[0].Value)

	p = command(t, nil, "config", h.path("none.toml"))
	require.Equal(t, 78, p.exit())
	require.Equal(t, h.fill("raynoded: cannot load $DIR/single/none.toml: there is no role file"), p.stderr())
}

// A file is checked as if it were in its place already.
func TestCheck_As(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("role", "role = \"single\"\n", "[stop]\ngrace = \"1s\"\n")
	for _, c := range []struct {
		name, text, place string
		code              int
		stdout, stderr    string
	}{
		{
			name: "a role file", text: "role = \"single\"\n", place: "$DIR/role.toml", code: 0,
			stdout: "$DIR/role.toml: good: single host\n",
		},
		{
			name: "a drop-in", text: "[stop]\ndrain = \"1s\"\n", place: "$DIR/role.toml.d/9.toml", code: 0,
			stdout: "$DIR/role.toml: good: single host\n",
		},
		{
			name: "a bad one", text: "\n[stop]\ndrain = 1\n", place: "$DIR/role.toml.d/9.toml", code: 78,
			stderr: "$DIR/role.toml.d/9.toml:3:9: " +
				"stop.drain: must be a duration such as \"500ms\", \"10s\" or \"5m\", got 1",
		},
		{
			name: "one that does not go with the rest", text: "role = \"head\"\nstop.x = 1\n", place: "$DIR/role.toml",
			code: 78,
			stderr: "$DIR/role.toml:1:1: auth.mode: must be \"token\" or \"none\", there is no default, got nothing\n" +
				"$DIR/role.toml:1:1: cluster.head: must be host:port, such as \"gpu-001:6379\", got nothing\n" +
				"$DIR/role.toml:2:10: stop.x: unknown key",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "source")
			require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
			p := command(t, nil, "check", path, "--as", h.fill(c.place))
			require.Equal(t, c.code, p.exit())
			require.Equal(t, h.fill(c.stdout), p.output())
			require.Equal(t, h.fill(c.stderr), p.stderr())
		})
	}
}
