package lab

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Process is a program that runs in a host beside the test.
type Process struct {
	// Pid is its number on the machine, not the one in the host.
	Pid int

	cmd    *exec.Cmd
	output *os.File
	ended  chan struct{}
}

// Start starts a program in the host and returns while it runs. It is killed
// when the test ends; its output is logged if the test failed.
func (n *Node) Start(t testing.TB, argv ...string) *Process {
	t.Helper()
	// The test's own context ends before its clean-up: that is early enough.
	cmd, err := n.Command(t.Context(), argv...)
	require.NoError(t, err)
	output, err := os.CreateTemp(n.dir, "output-")
	require.NoError(t, err)
	cmd.Stdout, cmd.Stderr = output, output
	p := &Process{cmd: cmd, output: output, ended: make(chan struct{})}
	require.NoError(t, cmd.Start())
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		<-p.ended
		if t.Failed() {
			t.Logf("output of %q on host %s:\n%s", argv, n.Name, p.Output())
		}
		discard(output)
	})
	Until(t, 10*time.Second, "nsenter has started "+argv[0], func() bool {
		p.Pid, err = entered(cmd)
		return err == nil || !p.Running()
	})
	return p
}

// Running says whether the program has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the program itself.
func (p *Process) Signal(t testing.TB, signal syscall.Signal) {
	t.Helper()
	require.True(t, p.Running(), "the program has ended: %s", p.Output())
	require.NoError(t, syscall.Kill(p.Pid, signal))
}

// Wait waits for the end of the program, for as long as limit or longer on a
// busy machine, and returns its exit code, or 128 + n after signal n.
func (p *Process) Wait(t testing.TB, limit time.Duration) int {
	t.Helper()
	ctx, cancel := Within(t.Context(), limit)
	defer cancel()
	select {
	case <-p.ended:
		return code(p.cmd.ProcessState)
	case <-ctx.Done():
		t.Fatalf("the program has not ended after %s: %s", limit, p.Output())
		return -1
	}
}

// Output is what the program has written so far, stdout and stderr as they came.
func (p *Process) Output() string {
	return content(p.output)
}
