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

// killWait is how long a kill may take. The kernel needs milliseconds; a process that is stuck in a
// driver never ends, and waiting longer would only hide it.
const killWait = 10 * time.Second

// ErrStopping is the error of a Start while a Stop is at work.
var ErrStopping = errors.New("the tree is being stopped")

// Tree is every process that descends from this one by way of Start. A process can have one.
type Tree struct {
	home     home
	killWait time.Duration

	watching context.Context // ends with Close
	unwatch  context.CancelFunc
	watchers sync.WaitGroup

	stops sync.Mutex // one stop at a time

	mu       sync.Mutex     // round every start and every look for the dead
	foreign  map[int]uint64 // children that somebody else waits for: PID and start time
	reaped   memory
	stopping bool
	starts   int    // the number in the last cgroup's name
	current  leaf   // where Start starts; empty until the first after New or Stop
	leaves   []leaf // not yet removed, current included
}

// New makes this process the subreaper of its descendants, raises its soft limit of open files to
// the hard one for them (Go gives children the old soft limit unless it was set explicitly), and
// finds out what cgroups offer. It starts nothing.
func New() (*Tree, error) {
	return plant(findHome())
}

func plant(h home) (*Tree, error) {
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
	t := &Tree{home: h, killWait: killWait, foreign: map[int]uint64{}}
	for _, s := range before {
		t.foreign[s.pid] = s.started
	}
	t.watching, t.unwatch = context.WithCancel(context.Background())
	h.sweep()
	return t, nil
}

// Cgroup says for the log how processes are kept together: "cgroup v2
// /system.slice/raynoded.service (clone, kill)", or "none (why): killing every descendant".
func (t *Tree) Cgroup() string { return t.home.String() }

// Close ends what waits for an Exit. It stops no process: that is Stop's.
func (t *Tree) Close() {
	t.unwatch()
	t.watchers.Wait()
}

// checkPidfd also makes os look for pidfds now: it starts a process for that, once, which a reaper
// could steal later.
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
