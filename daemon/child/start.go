package child

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"syscall"
)

// Command is what Start starts.
type Command struct {
	Path   string   // of the program, absolute or seen from Dir; also its argv[0]
	Args   []string // without argv[0]
	Env    []string // its whole environment
	Dir    string   // where it starts; "" = where this process is
	Stdout *os.File // nil = /dev/null; whoever inherits a pipe would hold it open
	Stderr *os.File
	Idle   bool // everybody else comes first: nice 19, and for disks the idle class (ionice -c 3)
}

// Start starts a process in a session of its own, in the cgroup of this start, with its standard
// input from /dev/null. The cgroup is made by the first Start after New or Stop. While a Stop is at
// work the error is ErrStopping.
func (t *Tree) Start(c Command) (Process, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return Process{}, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	defer null.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopping {
		return Process{}, fmt.Errorf("cannot start %s: %w", c.Path, ErrStopping)
	}
	if err := t.makeCgroup(); err != nil {
		return Process{}, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	argv := slices.Concat([]string{c.Path}, c.Args)
	pid, err := t.parent.spawn(t.current, func(cgroup *os.File) (int, error) {
		return c.fork(argv, null, cgroup)
	})
	if err != nil {
		return Process{}, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	if c.Idle {
		lowerPriority(pid)
	}
	s, err := readStat(pid) // if it has ended already it is a zombie: the mutex keeps the reaper away
	if err != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		return Process{}, fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	return Process{PID: pid, Started: s.started, Args: argv}, nil
}

// makeCgroup makes the cgroup of this start, if there is none yet.
func (t *Tree) makeCgroup() error {
	if t.parent.support == none || t.current != "" {
		return nil
	}
	t.parent.removeEmpty()
	l, n, err := t.parent.makeLeaf(t.starts)
	if err != nil {
		return err
	}
	t.current, t.starts = l, n
	t.leaves = append(t.leaves, l)
	return nil
}

// fork starts the program, inside cgroup if there is one.
func (c Command) fork(argv []string, null, cgroup *os.File) (int, error) {
	fd := func(f *os.File) uintptr {
		if f == nil {
			f = null
		}
		return f.Fd()
	}
	attr := &syscall.SysProcAttr{Setsid: true}
	if cgroup != nil {
		attr.UseCgroupFD, attr.CgroupFD = true, int(cgroup.Fd())
	}
	pid, err := syscall.ForkExec(c.Path, argv, &syscall.ProcAttr{
		Dir: c.Dir, Env: c.Env, Files: []uintptr{null.Fd(), fd(c.Stdout), fd(c.Stderr)}, Sys: attr,
	})
	runtime.KeepAlive(c)
	return pid, err
}
