package child

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// Exit is how a process ended.
type Exit struct {
	Process
	Known  bool           // false: its parent took the code before we could; Code and Signal say nothing
	Code   int            // what it exited with; -1 if a signal ended it
	Signal syscall.Signal // what killed it; 0 if it exited
}

// String is "exit code 1", "signal killed" or "exit code unknown (its parent took it)".
func (e Exit) String() string {
	switch {
	case !e.Known:
		return "exit code unknown (its parent took it)"
	case e.Signal != 0:
		return "signal " + e.Signal.String()
	default:
		return fmt.Sprintf("exit code %d", e.Code)
	}
}

func newExit(p Process, status syscall.WaitStatus) Exit {
	e := Exit{Process: p, Known: true, Code: status.ExitStatus()}
	if status.Signaled() {
		e.Signal = status.Signal()
	}
	return e
}

// Exited returns a channel that gives one Exit as soon as p has ended, whichever process is its
// parent, and is closed then. If p ended before the call, its code is known if p is among the last
// 1024 processes that were reaped here. Close closes the channel without an Exit.
func (t *Tree) Exited(p Process) <-chan Exit {
	out := make(chan Exit, 1)
	t.watchers.Go(func() {
		defer close(out)
		if p.wait(t.watching) == nil {
			out <- t.exitOf(p)
		}
	})
	return out
}

// exitOf returns how p ended. p must have ended.
func (t *Tree) exitOf(p Process) Exit {
	t.mu.Lock()
	defer t.mu.Unlock()
	if status, found := t.reaped.find(p); found {
		return newExit(p, status)
	}
	mayRead := mayTrace(p.PID)
	s, err := readStat(p.PID)
	if err != nil || s.started != p.Started {
		return Exit{Process: p}
	}
	if s.parent == os.Getpid() && !t.isForeign(s) {
		if status, ok := t.wait(s); ok {
			return newExit(p, status)
		}
	}
	if mayRead && !s.alive() {
		return newExit(p, s.status)
	}
	return Exit{Process: p}
}

// mayTrace says whether the kernel shows us the exit status of a zombie; to others it shows 0. The
// same rule decides who may read the link /proc/PID/exe. A zombie has no program any more, so its
// link is missing.
func mayTrace(pid int) bool {
	_, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return err == nil || errors.Is(err, os.ErrNotExist)
}
