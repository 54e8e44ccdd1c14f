package child

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Reap reaps the children that this process adopts, each as soon as it has died. It returns
// context.Cause(ctx) once ctx is done; no error ends it.
func (t *Tree) Reap(ctx context.Context) error {
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	defer signal.Stop(died)
	for {
		var later <-chan time.Time
		if t.reap() != nil { // no file descriptor or no memory is left
			later = time.After(retryPause)
		}
		select {
		case <-died:
		case <-later:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (t *Tree) reap() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine, err := children(os.Getpid())
	t.reapDead(mine)
	return err
}

// reapDead reaps the dead processes among all that are children of ours and for the tree to wait
// for. The caller holds the mutex.
func (t *Tree) reapDead(all []stat) {
	for _, s := range all {
		if s.parent == os.Getpid() && s.state == 'Z' && !t.isForeign(s) {
			t.wait(s)
		}
	}
}

// wait reaps one child, if it is dead. The caller holds the mutex.
func (t *Tree) wait(s stat) (syscall.WaitStatus, bool) {
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(s.pid, &status, syscall.WNOHANG, nil)
	if err != nil || pid != s.pid {
		return 0, false
	}
	t.reaped.add(s, status)
	return status, true
}

// endings holds how the processes ended that were reaped last. So Exited knows the code of a
// process that was reaped before it was called.
type endings struct {
	last [1024]ending
	next int
}

type ending struct {
	pid     int
	started uint64
	status  syscall.WaitStatus
}

func (m *endings) add(s stat, status syscall.WaitStatus) {
	m.last[m.next] = ending{s.pid, s.started, status}
	m.next = (m.next + 1) % len(m.last)
}

func (m *endings) find(p Process) (syscall.WaitStatus, bool) {
	for _, e := range m.last {
		if e.pid == p.PID && e.started == p.Started {
			return e.status, true
		}
	}
	return 0, false
}
