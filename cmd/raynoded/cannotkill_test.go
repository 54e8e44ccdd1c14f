package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A tracer that stops a process on its way out has the kernel hold it there: no SIGKILL ends it then, as with one that is
// stuck in a driver.
func TestRun_ProcessThatCannotBeKilled(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, `stop.grace = "100ms"`)
	gcs := h.gcs()
	p := h.run()
	p.until(" running")
	h.settled()
	raylet := h.one("raylet")
	release := hold(t, raylet.PID)
	p.signal(syscall.SIGTERM)
	require.Equal(t, 74, p.exit())
	require.Equal(t, 74, h.end().Code)
	require.Equal(t, fmt.Sprintf("asked to stop: terminated; 1 still there 10s after SIGKILL: %d (raylet, state t)", raylet.PID), h.end().Reason)
	require.True(t, raylet.Alive())
	require.NoFileExists(t, h.path("run", "ray.env"))

	release()
	h.eventually(func() bool { return !raylet.Alive() })
	next := h.run()
	next.until(" running")
	stop(gcs)
	h.ends(next, 0, "head lost: *")
	left, err := filepath.Glob(cgroups(t, p))
	require.NoError(t, err)
	require.Empty(t, left, "the next run takes away what is empty by now")
}

// hold keeps a process from ending, whatever kills it, until release is called.
func hold(t *testing.T, pid int) (release func()) {
	held, released, done := make(chan error), make(chan struct{}), make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the tracer is a thread
		defer runtime.UnlockOSThread()
		_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(pid), 0, unix.PTRACE_O_TRACEEXIT, 0, 0)
		if errno != 0 {
			held <- errno
			return
		}
		held <- nil
		<-released
		done <- unix.PtraceDetach(pid)
	}()
	if err := <-held; err != nil {
		t.Skipf("a process that cannot be killed is made with ptrace, which this machine refuses: %v", os.NewSyscallError("ptrace", err))
	}
	return func() {
		close(released)
		require.NoError(t, <-done)
	}
}
