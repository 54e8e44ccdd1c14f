package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A tracer that stops a process on its way out has the kernel hold it there: no SIGKILL ends it
// then, as with one that is stuck in a driver.
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
	require.Equal(
		t, fmt.Sprintf("asked to stop: terminated; 1 still there 10s after SIGKILL: %d (raylet, state t)", raylet.PID),
		h.end().Reason,
	)
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

// A job that cannot be killed keeps nothing else alive. It is named once.
func TestRun_JobThatCannotBeKilled(t *testing.T) {
	t.Parallel()
	h := newCluster(
		t,
	).host("head", headRole, job("echo at work: $$; exec sleep 1000 >/dev/null 2>&1"), `stop.grace = "100ms"`)
	p := h.run()
	pids := p.atWork()
	require.Len(t, pids, 1)
	pid := pids[0]
	h.eventually(func() bool { // it does not hold our stderr any more
		comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return err == nil && string(comm) == "sleep\n"
	})
	release := hold(t, pid)
	defer release()
	p.late = time.After(patience)
	p.signal(syscall.SIGTERM)
	require.Equal(t, 74, p.exit())
	require.Equal(
		t, fmt.Sprintf("asked to stop: terminated; 1 still there 10s after SIGKILL: %d (sleep, state t)", pid),
		h.end().Reason,
	)
	for _, left := range h.started() {
		require.False(t, left.Alive(), "%s is left", left.Program)
	}
}

// Nothing is started beside what an earlier raynoded has left and nobody can kill.
func TestRun_OrphanThatCannotBeKilled(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	h.gcs()
	first := h.run()
	first.until(" running")
	h.settled()
	raylet := h.one("raylet")
	release := hold(t, raylet.PID)
	defer release()
	first.kill()
	second := h.run()
	require.Equal(t, 74, second.exit())
	require.Equal(
		t,
		fmt.Sprintf(
			"cannot end what an earlier raynoded left behind: 1 still there 10s after SIGKILL: %d (raylet, state t)",
			raylet.PID,
		),
		h.end().Reason,
	)
	require.FileExists(t, h.path("processes.json"), "for the next try")
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
		t.Skipf(
			"a process that cannot be killed is made with ptrace, which this machine refuses: %v",
			os.NewSyscallError("ptrace", err),
		)
	}
	return func() {
		close(released)
		require.NoError(t, <-done)
	}
}
