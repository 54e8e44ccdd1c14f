//go:build ray

package ray

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// TestWait is the gate for launch scripts, beside a head and two workers that come and go.
func TestWait(t *testing.T) {
	s := site.New(t, "2.60.0")
	h := s.Member(t, "gpu-001", site.HeadRole, site.QuickStop)
	code, out, errs := gate(t, h, "--nodes", "1", "--timeout", "1s")
	require.Equal(t, 69, code, errs)
	require.Empty(t, out)
	head := h.Start(t)
	head.Ready(t)

	code, out, errs = gate(t, h, "--nodes", "2", "--timeout", "5s", "gpu-001", "gpu-002")
	require.Equal(t, 75, code, errs)
	require.Empty(t, out)
	const incomplete = "raynoded: the cluster is not complete within 5s: 1 of 2 nodes; here: gpu-001; missing: gpu-002\n"
	site.Matches(t, "*"+incomplete, errs)

	w := s.Member(t, "gpu-002", site.WorkerRole)
	var said bytes.Buffer
	cmd := exec.Command(lab.Binary(t), "wait", "--role", w.RoleFile(), "--nodes", "2", "--timeout", "90s", "gpu-002")
	cmd.Env, cmd.Stdout = w.Env, &said
	require.NoError(t, cmd.Start())
	worker := w.Start(t)
	require.NoError(t, cmd.Wait())
	require.Equal(t, "2 of 2 nodes; here: gpu-001, gpu-002\n", said.String())
	worker.Ready(t)
	code, out, errs = command(t, h, "env", "--cluster")
	require.Equal(t, 0, code, errs)
	require.Regexp(t, `^gpu-001  [0-9a-f]{8}\ngpu-002  [0-9a-f]{8}\n2 of 2 nodes have the same environment\n$`, out)
	worker.Stop(t)

	code, out, errs = gate(t, h, "--nodes", "2", "--timeout", "5s", "gpu-001", "gpu-002")
	require.Equal(t, 75, code, errs)
	require.Empty(t, out)
	site.Matches(
		t,
		"*raynoded: the cluster is not complete within 5s: 1 of 2 nodes; here: gpu-001; missing: gpu-002; left: gpu-002\n",
		errs,
	)
	head.Stop(t)
}

// gate runs `raynoded wait` on a member's host.
func gate(t *testing.T, m *site.Member, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return command(t, m, "wait", args...)
}

// command runs a command of raynoded's on a member's host and returns the exit code and what it
// printed.
func command(t *testing.T, m *site.Member, command string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(lab.Binary(t), append([]string{command, "--role", m.RoleFile()}, args...)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = m.Env, &out, &errs
	_ = cmd.Run()
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}
