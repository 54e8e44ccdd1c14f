package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
)

// kind is what the kernel and our rights offer.
type kind int

const (
	none   kind = iota // no cgroup of our own
	moved              // cgroup v2; no clone into a cgroup
	frozen             // clone into a cgroup; no cgroup.kill
	full               // clone into a cgroup and cgroup.kill
)

// home is the cgroup that this process lives in, where those of the starts are made. No controller
// is ever enabled in it: that would forbid processes in it, ourselves included.
type home struct {
	kind kind
	path string // as /proc/self/cgroup names it
	dir  string // where it is mounted
	why  error  // of none
}

// String is Tree.Cgroup.
func (h home) String() string {
	switch h.kind {
	case moved:
		return fmt.Sprintf("cgroup v2 %s (move, freeze)", h.path)
	case frozen:
		return fmt.Sprintf("cgroup v2 %s (clone, freeze)", h.path)
	case full:
		return fmt.Sprintf("cgroup v2 %s (clone, kill)", h.path)
	case none:
	}
	return fmt.Sprintf("none (%v): killing every descendant", h.why)
}

// findHome tries out what can be done in our own cgroup.
func findHome() home {
	path, dirs, err := ownCgroup()
	if err != nil {
		return home{why: err}
	}
	h := home{path: path, why: errors.New("no cgroup v2 mount shows our own cgroup")}
	for _, dir := range dirs {
		h.dir = dir
		if h.kind, h.why = h.try(); h.kind != none {
			break
		}
	}
	return h
}

// try makes a cgroup, looks at it, and removes it.
func (h home) try() (kind, error) {
	pids, err := readPIDs(h.dir)
	if err != nil {
		return none, err
	}
	if !slices.Contains(pids, os.Getpid()) {
		return none, fmt.Errorf("%s does not hold this process", h.dir)
	}
	l, _, err := h.leaf(-1)
	if err != nil {
		return none, err
	}
	defer func() { _ = l.remove() }()
	if kind, _ := os.ReadFile(l.file("cgroup.type")); string(kind) != "domain\n" {
		return none, fmt.Errorf("a cgroup made in %s cannot hold processes: its type is %q", h.dir, kind)
	}
	for _, dir := range []string{h.dir, string(l)} { // a move needs both
		if err := writable(filepath.Join(dir, "cgroup.procs")); err != nil {
			return none, err
		}
	}
	switch {
	case !canCloneInto():
		return moved, nil
	case writable(l.file("cgroup.kill")) != nil:
		return frozen, nil
	default:
		return full, nil
	}
}

func writable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// leaf makes a cgroup called ray-, our PID, and the first number after n that is free, which it
// returns.
func (h home) leaf(n int) (leaf, int, error) {
	for {
		n++
		dir := filepath.Join(h.dir, fmt.Sprintf("ray-%d-%d", os.Getpid(), n))
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return leaf(dir), n, nil
		}
		if !errors.Is(err, os.ErrExist) {
			return "", n, err
		}
	}
}

// sweep removes what dead processes like this one, or former starts, left empty. A cgroup
// that is not empty stays. It is in the way of none, as no name is used twice.
func (h home) sweep() {
	if h.kind == none {
		return
	}
	ours := regexp.MustCompile(`^ray-(\d+)-\d+$`)
	entries, _ := os.ReadDir(h.dir)
	for _, e := range entries {
		name := ours.FindStringSubmatch(e.Name())
		if name == nil || !e.IsDir() {
			continue
		}
		pid, _ := strconv.Atoi(name[1])
		_, err := readStat(pid)
		l := leaf(filepath.Join(h.dir, e.Name()))
		if (pid == os.Getpid() || errors.Is(err, os.ErrProcessDone)) && l.empty() {
			_ = l.remove()
		}
	}
}

// spawn has fork make a process that is born inside l. Where the kernel cannot clone into a cgroup,
// this process enters l for that moment: a child that was moved after its birth could have forked
// already.
func (h home) spawn(l leaf, fork func(cgroup *os.File) (int, error)) (int, error) {
	switch h.kind {
	case frozen, full:
		dir, err := os.Open(string(l))
		if err != nil {
			return 0, err
		}
		defer dir.Close()
		pid, err := fork(dir)
		if errors.Is(err, syscall.EBUSY) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENODEV) {
			return 0, fmt.Errorf("cannot clone into %s, are controllers enabled in it: %w", l, err)
		}
		return pid, err
	case moved:
		if err := l.enter(); err != nil {
			return 0, err
		}
		pid, err := fork(nil)
		if left := leaf(h.dir).enter(); left != nil {
			if err == nil {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			return 0, errors.Join(left, err)
		}
		return pid, err
	case none:
	}
	return fork(nil)
}
