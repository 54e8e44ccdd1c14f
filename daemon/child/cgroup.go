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

// support is what the kernel and our privileges allow.
type support int

const (
	none   support = iota // no cgroup of our own
	moved                 // cgroup v2; no clone into a cgroup
	frozen                // clone into a cgroup; no cgroup.kill
	full                  // clone into a cgroup and cgroup.kill
)

// parentCgroup is the cgroup that this process lives in. The cgroups of the starts are made in it.
// No controller is ever enabled in it: that would forbid processes in it, this one included.
type parentCgroup struct {
	support support
	path    string // as /proc/self/cgroup names it
	dir     string // where it is mounted
	why     error  // why the support is none
}

// String is Tree.Cgroup.
func (h parentCgroup) String() string {
	switch h.support {
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

// findParentCgroup tries out what can be done in our own cgroup.
func findParentCgroup() parentCgroup {
	path, dirs, err := ownCgroup()
	if err != nil {
		return parentCgroup{why: err}
	}
	h := parentCgroup{path: path, why: errors.New("no cgroup v2 mount shows our own cgroup")}
	for _, dir := range dirs {
		h.dir = dir
		if h.support, h.why = h.probe(); h.support != none {
			break
		}
	}
	return h
}

// probe makes a cgroup, looks at it, and removes it.
func (h parentCgroup) probe() (support, error) {
	pids, err := readPIDs(h.dir)
	if err != nil {
		return none, err
	}
	if !slices.Contains(pids, os.Getpid()) {
		return none, fmt.Errorf("%s does not hold this process", h.dir)
	}
	l, _, err := h.makeLeaf(-1)
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

// makeLeaf makes a cgroup and returns it with its number. Its name is ray-, our PID, and the first
// number after n that is free.
func (h parentCgroup) makeLeaf(n int) (leaf, int, error) {
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

// removeEmpty removes the empty cgroups of former starts, and of dead processes like this one. A
// cgroup that is not empty stays. It is in nobody's way, as no name is used twice.
func (h parentCgroup) removeEmpty() {
	if h.support == none {
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

// spawn calls fork so that the process is born inside l. Where the kernel cannot clone into a
// cgroup, this process moves into l for that moment. To move the child after its birth would be
// too late, as it could have forked already.
func (h parentCgroup) spawn(l leaf, fork func(cgroup *os.File) (int, error)) (int, error) {
	switch h.support {
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
