package lab

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Result is what a command left behind.
type Result struct {
	Stdout, Stderr string
	// Code is the exit code, or 128 + n after signal n.
	Code int
	Took time.Duration
}

const commandLimit = 5 * time.Minute

// Run runs a shell script in the host and returns how it ended, whatever its
// code. The test fails if it has not ended after five minutes.
func (n *Node) Run(t testing.TB, script string) Result {
	t.Helper()
	return n.run(t, nil, "sh", "-c", script)
}

// Sh runs a shell script in the host that must succeed and returns what it
// printed, without white space at either end.
func (n *Node) Sh(t testing.TB, script string) string {
	t.Helper()
	result := n.Run(t, script)
	require.Zero(t, result.Code, "on host %s: %s\nstdout: %s\nstderr: %s", n.Name, script, result.Stdout, result.Stderr)
	return strings.TrimSpace(result.Stdout)
}

func (n *Node) run(t testing.TB, stdin io.Reader, argv ...string) Result {
	t.Helper()
	// Not the test's own context: that has ended when a clean-up runs.
	ctx, cancel := Within(context.WithoutCancel(t.Context()), commandLimit)
	defer cancel()
	result, err := n.result(ctx, stdin, argv...)
	require.NoError(t, err, "on host %s: %q\nstdout: %s\nstderr: %s", n.Name, argv, result.Stdout, result.Stderr)
	return result
}

func (n *Node) result(ctx context.Context, stdin io.Reader, argv ...string) (Result, error) {
	cmd, err := n.Command(ctx, argv...)
	if err != nil {
		return Result{}, err
	}
	// Files, not pipes: what the command leaves running may hold them open.
	stdout, err := os.CreateTemp(n.dir, "stdout-")
	if err != nil {
		return Result{}, err
	}
	defer discard(stdout)
	stderr, err := os.CreateTemp(n.dir, "stderr-")
	if err != nil {
		return Result{}, err
	}
	defer discard(stderr)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	started := time.Now()
	err = cmd.Run()
	result := Result{
		Stdout: content(stdout),
		Stderr: content(stderr),
		Code:   code(cmd.ProcessState),
		Took:   time.Since(started),
	}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return result, context.Cause(ctx)
	case errors.As(err, &exit):
		return result, nil
	}
	return result, err
}

func content(f *os.File) string {
	data, _ := os.ReadFile(f.Name())
	return string(data)
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

func code(state *os.ProcessState) int {
	if state == nil {
		return -1
	}
	if status := state.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
