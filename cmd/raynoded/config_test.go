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
	path := filepath.Join(t.TempDir(), "grpo.toml")
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	write(path, "role = \"worker\"\n[cluster]\nhead = \"gpu-001:6379\"\n[auth]\nmode = \"token\"\n")
	write(path+".d/90-host.toml", "[watchdog]\nsilent = \"1m\"\n")

	p := command(t, nil, "config", path)
	require.Equal(t, 0, p.exit())
	for _, line := range []string{
		"role = \"worker\"  # " + path + ":1\n",
		"head = \"gpu-001:6379\"  # " + path + ":3\n",
		"silent = \"1m\"  # " + path + ".d/90-host.toml:2\n",
		"stuck = \"1m\"  # default\n",
	} {
		require.Contains(t, p.output(), line)
	}
	again := filepath.Join(t.TempDir(), "again.toml")
	write(again, p.output())
	p = command(t, nil, "check", again)
	require.Equal(t, 0, p.exit(), "what it prints is a role file")

	p = command(t, nil, "config", "--json", path)
	require.Equal(t, 0, p.exit())
	var settings []struct {
		Key   string
		Value any
		File  string
		Line  int
		Live  bool
	}
	require.NoError(t, json.Unmarshal([]byte(p.output()), &settings))
	seen := 0
	for _, s := range settings {
		switch s.Key {
		case "cluster.head":
			require.Equal(t, []any{"gpu-001:6379", path, 3, false}, []any{s.Value, s.File, s.Line, s.Live})
		case "watchdog.silent":
			require.Equal(t, []any{"1m", path + ".d/90-host.toml", 2, true}, []any{s.Value, s.File, s.Line, s.Live})
		case "stop.grace":
			require.Equal(t, []any{"5s", "", 0, true}, []any{s.Value, s.File, s.Line, s.Live})
		default:
			continue
		}
		seen++
	}
	require.Equal(t, 3, seen)

	write(path+".d/90-host.toml", "[watchdog]\nsilent = 5\n")
	p = command(t, nil, "config", path)
	require.Equal(t, 78, p.exit())
	require.Contains(t, p.stderr(), path+".d/90-host.toml:2:10: watchdog.silent: must be")
}
