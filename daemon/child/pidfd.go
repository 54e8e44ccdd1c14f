package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// retryPause is the pause before another try of what failed for want of a file descriptor or
// memory.
const retryPause = 100 * time.Millisecond

// open returns a pidfd of exactly p, in the runtime's poller, or os.ErrProcessDone. It reads the
// start time of the PID after it has made the pidfd. If the PID is p's by then, it was p's a
// moment before.
func (p Process) open() (*os.File, error) {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if isGone(err) {
		return nil, os.ErrProcessDone
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open a pidfd of process %d: %w", p.PID, err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("cannot open a pidfd of process %d: %w", p.PID, err)
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	s, err := readStat(p.PID)
	if err == nil && s.started != p.Started {
		err = os.ErrProcessDone
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// isGone says whether an error of pidfd_open means that no process has the PID. The last two
// errors mean that the PID is that of a thread now.
func isGone(err error) bool {
	return errors.Is(err, unix.ESRCH) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT)
}

// wait returns nil once p has ended, reaped or not, or context.Cause(ctx).
func (p Process) wait(ctx context.Context) error {
	for {
		f, err := p.open()
		if errors.Is(err, os.ErrProcessDone) {
			return nil
		}
		if err == nil {
			defer f.Close()
			return readable(ctx, f)
		}
		select {
		case <-time.After(retryPause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// readable waits until poll(2) says that f can be read.
func readable(ctx context.Context, f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })()
	err = conn.Read(func(fd uintptr) bool {
		polled := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(polled, 0)
		return n > 0 && err == nil
	})
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Signal sends sig to p and to no other process that may have its PID by now. The error is
// os.ErrProcessDone if p has ended.
func (t *Tree) Signal(p Process, sig syscall.Signal) error {
	f, err := p.open()
	if err != nil {
		return fmt.Errorf("cannot signal process %d: %w", p.PID, err)
	}
	defer f.Close()
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); err != nil {
		return err
	}
	if errors.Is(failed, unix.ESRCH) {
		failed = os.ErrProcessDone
	}
	if failed != nil {
		return fmt.Errorf("cannot signal process %d: %w", p.PID, failed)
	}
	return nil
}
