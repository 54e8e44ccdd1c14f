package child

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Reap reaps the children that this process adopts, each as soon as it has died. It returns
// context.Cause(ctx) once ctx is done, and nothing else ends it.
func (t *Tree) Reap(ctx context.Context) error {
	died := make(chan os.Signal, 1)
	signal.Notify(died, syscall.SIGCHLD)
	defer signal.Stop(died)
	for {
		var later <-chan time.Time
		if t.reap() != nil { // no file descriptor is left, or no memory
			later = time.After(again)
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
	t.bury(mine)
	return err
}

// bury reaps those of all that are dead children of this process, and that os/exec does not wait
// for. The mutex is held.
func (t *Tree) bury(all []stat) {
	for _, s := range all {
		if s.parent == os.Getpid() && s.state == 'Z' && !t.isForeign(s) {
			t.wait(s)
		}
	}
}

// wait reaps one child, if it is dead. The mutex is held.
func (t *Tree) wait(s stat) (syscall.WaitStatus, bool) {
	var status syscall.WaitStatus
	pid, err := syscall.Wait4(s.pid, &status, syscall.WNOHANG, nil)
	if err != nil || pid != s.pid {
		return 0, false
	}
	t.reaped.keep(s, status)
	return status, true
}

// memory keeps how the last processes ended that we reaped, so that asking late is still exact.
type memory struct {
	ends [1024]end
	next int
}

type end struct {
	pid     int
	started uint64
	status  syscall.WaitStatus
}

func (m *memory) keep(s stat, status syscall.WaitStatus) {
	m.ends[m.next] = end{s.pid, s.started, status}
	m.next = (m.next + 1) % len(m.ends)
}

func (m *memory) find(p Process) (syscall.WaitStatus, bool) {
	for _, e := range m.ends {
		if e.pid == p.PID && e.started == p.Started {
			return e.status, true
		}
	}
	return 0, false
}
