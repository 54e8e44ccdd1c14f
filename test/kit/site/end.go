package site

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/test/lab"
)

// Wait waits for the end and returns the exit code.
func (r *Running) Wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	ctx, cancel := lab.Within(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	select {
	case <-r.Ended:
	case <-ctx.Done():
		require.FailNow(t, r.Name+" has not ended", "within %s; below it: %v", limit, Below(r.PID()))
	}
	return r.Cmd.ProcessState.ExitCode()
}

// Stop sends SIGTERM, expects the end that was asked for, and returns how long it took.
func (r *Running) Stop(t *testing.T) time.Duration {
	t.Helper()
	r.Look()
	asked := time.Now()
	require.NoError(t, r.Cmd.Process.Signal(syscall.SIGTERM))
	r.Ends(t, 0, "asked to stop: terminated")
	return r.End.Sub(asked)
}

// Ends waits for the end and compares it with what must be: the exit code, and the reason, in which
// * stands for anything, in the last line of the log and on record. Nothing must be left.
func (r *Running) Ends(t *testing.T, code int, reason string) {
	t.Helper()
	require.Equal(t, code, r.Wait(t, lab.Patience), r.Log(t))
	var end host.End
	text, err := os.ReadFile(r.Path("last-end.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &end))
	require.Equal(t, code, end.Code)
	t.Logf("%s: %d: %s", r.Name, code, end.Reason)
	Matches(t, r.fill(reason), end.Reason)
	last := " ended: " + end.Reason
	if code != 0 {
		last = " error:" + last
	}
	log := strings.TrimSpace(r.Log(t))
	require.True(
		t, strings.HasSuffix(log, last), "the log does not end with%s but with:\n%s", last,
		log[max(0, len(log)-2*len(last)):],
	)
	require.NotContains(t, log, "DATA RACE")
	r.nothingLeft(t)
}

// Matches compares a text with what it must be, in which * stands for anything.
func Matches(t *testing.T, want, got string) {
	t.Helper()
	require.Regexp(t, "^(?s:"+strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, ".*")+")$", got)
}

// nothingLeft looks for whatever raynoded may have left behind.
func (r *Running) nothingLeft(t *testing.T) {
	t.Helper()
	for _, p := range r.Tree {
		require.False(t, p.Living(), "left: %s", p)
	}
	require.Empty(t, marked(r.Path()), "left")
	require.NoFileExists(t, r.Path("run", "ray.env"))
	for _, tree := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		cgroups, err := filepath.Glob(tree + OwnCgroup(t) + "/ray-" + strconv.Itoa(r.PID()) + "-*")
		require.NoError(t, err)
		require.Empty(t, cgroups)
	}
}

// OwnCgroup is the cgroup v2 that the test runs in, and so raynoded.
func OwnCgroup(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if path, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			return path
		}
	}
	return "/none"
}
