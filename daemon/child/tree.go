package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killWait is how long a kill may take. The kernel needs milliseconds. A process that is stuck in
// a driver never ends, so a longer wait would only hide it.
const killWait = 10 * time.Second

// ErrStopping is the error of a Start while a Stop is at work.
var ErrStopping = errors.New("the tree is being stopped")

// Tree is all processes that descend from this one by way of Start. A process can have one Tree.
type Tree struct {
	parent   parentCgroup
	killWait time.Duration

	watching context.Context // ends with Close
	unwatch  context.CancelFunc
	watchers sync.WaitGroup

	stops sync.Mutex // one stop at a time

	mu       sync.Mutex     // guards every start and every look for the dead
	foreign  map[int]uint64 // children that are not for the tree to wait for: start times by PID
	reaped   endings
	stopping bool
	starts   int    // the number in the last cgroup's name
	current  leaf   // where Start starts; empty until the first after New or Stop
	leaves   []leaf // not yet removed, current included
}

// New makes this process the subreaper of its descendants and finds out what cgroups offer. It
// also raises the soft limit of open files to the hard one for them: Go gives children the old
// soft limit unless it was set explicitly. It starts nothing.
func New() (*Tree, error) {
	return newTreeIn(findParentCgroup())
}

func newTreeIn(h parentCgroup) (*Tree, error) {
	if err := checkPidfd(); err != nil {
		return nil, err
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("cannot become the subreaper: %w", err)
	}
	if err := raiseFileLimit(); err != nil {
		return nil, err
	}
	before, err := children(os.Getpid())
	if err != nil {
		return nil, err
	}
	t := &Tree{parent: h, killWait: killWait, foreign: map[int]uint64{}}
	for _, s := range before {
		t.foreign[s.pid] = s.started
	}
	t.watching, t.unwatch = context.WithCancel(context.Background())
	h.removeEmpty()
	return t, nil
}

// Cgroup says, for the log, how the processes are kept together: "cgroup v2
// /system.slice/raynoded.service (clone, kill)", or "none (why): killing every descendant".
func (t *Tree) Cgroup() string { return t.parent.String() }

// Close ends the wait for every Exit. It stops no process; Stop does.
func (t *Tree) Close() {
	t.unwatch()
	t.watchers.Wait()
}

// checkPidfd checks that the kernel has pidfds. It also makes package os check for them now: os
// starts a process for that, once, which a reaper could steal later.
func checkPidfd() error {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return fmt.Errorf("cannot find this process: %w", err)
	}
	defer func() { _ = self.Release() }()
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("cannot open a pidfd, Linux 5.4 or newer is needed: %w", err)
	}
	return unix.Close(fd)
}

func raiseFileLimit() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("cannot read the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return fmt.Errorf("cannot raise the limit of open files to %d: %w", l.Max, err)
	}
	return nil
}
