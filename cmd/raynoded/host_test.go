package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/host"
)

// host is one pretended host: a role file and folders of its own.
type testHost struct {
	*testCluster
	name string
	env  []string
}

const (
	quick = `
[ray]
bin = "$BIN"
num_gpus = 4
start_timeout = "20s"
[watchdog]
refused = "100ms"
check_interval = "100ms"
[stop]
grace = "10s"
[auth]
mode = "none"
[env_from]
inherit = ["FAKERAY*", "GORACE"]
[log]
format = "text"
`
	headRole = `role = "head"
cluster = { head = "$HEAD", nodes = 1, name = "grpo" }
node = { name = "gpu-001" }
` + quick
	workerRole = `role = "worker"
cluster = { head = "$HEAD", join_timeout = "20s", name = "grpo" }
node = { name = "gpu-002" }
` + quick
	singleRole = `role = "single"
` + quick
	standing = "watchdog.on_head_loss = \"rejoin\"\n"
)

func (h *testHost) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir, h.name}, parts...)...)
}

func (h *testHost) role() string { return filepath.Join(h.dir, h.name+".toml") }

func (h *testHost) write(path, text string) {
	h.Helper()
	require.NoError(h, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(h, os.WriteFile(path, []byte(h.fill(text)), 0o600))
}

// with adds to the environment of raynoded, and so of Ray.
func (h *testHost) with(env ...string) *testHost {
	for _, entry := range env {
		h.env = append(h.env, h.fill(entry))
	}
	return h
}

func (h *testHost) run() *process {
	h.Helper()
	return h.runWith(nil)
}

func (h *testHost) runWith(stdin *os.File) *process {
	h.Helper()
	return commandAt(h.T, stdin, h.env, "run", "--role", h.role())
}

// ends waits for the end of p and compares it with what must be: the exit code, and the reason, in
// which * stands for anything; both in the log's last line and on record. Nothing must be left.
func (h *testHost) ends(p *process, code int, reason string) {
	h.Helper()
	require.Equal(h, code, p.exit())
	end := h.end()
	require.Equal(h, code, end.Code)
	require.WithinDuration(h, time.Now(), end.Time, patience)
	h.matches(reason, end.Reason)
	last := " ended: " + end.Reason
	if code != 0 {
		last = " error:" + last
	}
	require.True(h, strings.HasSuffix(p.stderr(), last), "the last words on stderr")
	h.nothingLeft(p)
}

// end is what the last run put on record.
func (h *testHost) end() host.End {
	h.Helper()
	var end host.End
	text, err := os.ReadFile(h.path("last-end.json"))
	require.NoError(h, err)
	require.NoError(h, json.Unmarshal(text, &end))
	return end
}

// nothingLeft looks for what p may have left behind.
func (h *testHost) nothingLeft(p *process) {
	h.Helper()
	for _, left := range h.started() {
		require.False(h, left.Alive(), "%s is left", left.Program)
	}
	require.NoFileExists(h, h.path("run", "ray.env"))
	left, err := filepath.Glob(cgroups(h.T, p))
	require.NoError(h, err)
	require.Empty(h, left)
}
