//go:build ray

package test

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// TestWait is the gate for launch scripts, beside a head and two workers that come and go.
func TestWait(t *testing.T) {
	s := newSite(t, "2.60.0")
	h := s.member(t, "gpu-001", headRole, quickStop)
	code, out, errs := h.gate(t, "--nodes", "1", "--timeout", "1s")
	require.Equal(t, 69, code, errs)
	require.Empty(t, out)
	head := h.start(t)
	head.ready(t)

	code, out, errs = h.gate(t, "--nodes", "2", "--timeout", "5s", "gpu-001", "gpu-002")
	require.Equal(t, 75, code, errs)
	require.Empty(t, out)
	matches(t, "*raynoded: the cluster is not complete within 5s: 1 of 2 nodes; here: gpu-001; missing: gpu-002\n", errs)

	w := s.member(t, "gpu-002", workerRole)
	var said bytes.Buffer
	cmd := exec.Command(lab.Binary(t), "wait", "--role", w.role(), "--nodes", "2", "--timeout", "90s", "gpu-002")
	cmd.Env, cmd.Stdout = w.env, &said
	require.NoError(t, cmd.Start())
	worker := w.start(t)
	require.NoError(t, cmd.Wait())
	require.Equal(t, "2 of 2 nodes; here: gpu-001, gpu-002\n", said.String())
	worker.ready(t)
	code, out, errs = h.ask(t, "env", "--cluster")
	require.Equal(t, 0, code, errs)
	require.Regexp(t, `^gpu-001  [0-9a-f]{8}\ngpu-002  [0-9a-f]{8}\n2 of 2 nodes have the same environment\n$`, out)
	worker.stop(t)

	code, out, errs = h.gate(t, "--nodes", "2", "--timeout", "5s", "gpu-001", "gpu-002")
	require.Equal(t, 75, code, errs)
	require.Empty(t, out)
	matches(
		t,
		"*raynoded: the cluster is not complete within 5s: 1 of 2 nodes; here: gpu-001; missing: gpu-002; left: gpu-002\n",
		errs,
	)
	head.stop(t)
}

// gate runs `raynoded wait` on a member's host.
func (m *member) gate(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return m.ask(t, "wait", args...)
}

// ask runs a command of raynoded's on a member's host and returns the exit code and what it
// printed.
func (m *member) ask(t *testing.T, command string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(lab.Binary(t), append([]string{command, "--role", m.role()}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = m.env, &out, &errs
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
