package child

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// emptyTimeout is how long the kernel may take to call a cgroup empty after its last process has
// ended.
const emptyTimeout = time.Second

// leaf is the folder of the cgroup of one start. Its processes may have made others in it.
type leaf string

func (l leaf) file(name string) string { return filepath.Join(string(l), name) }

func (l leaf) write(name, value string) error {
	return os.WriteFile(l.file(name), []byte(value), 0)
}

// enter moves this process, all of its threads, into l.
func (l leaf) enter() error {
	return l.write("cgroup.procs", strconv.Itoa(os.Getpid()))
}

// below returns l and the cgroups in it, the deepest first. Cgroups that are removed meanwhile are
// left out.
func (l leaf) below() ([]leaf, error) {
	entries, err := os.ReadDir(string(l))
	if isRemoved(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []leaf
	for _, e := range entries {
		if e.IsDir() {
			deeper, err := leaf(l.file(e.Name())).below()
			if err != nil {
				return nil, err
			}
			all = append(all, deeper...)
		}
	}
	return append(all, l), nil
}

// members returns the processes in l and below.
func (l leaf) members() ([]int, error) {
	all, err := l.below()
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, each := range all {
		found, err := readPIDs(string(each))
		if err != nil {
			return nil, err
		}
		pids = append(pids, found...)
	}
	return pids, nil
}

// readPIDs reads cgroup.procs. A threaded cgroup lists no processes: the domain above it does. A
// process of another PID namespace is listed as 0 and left out.
func readPIDs(dir string) ([]int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if isRemoved(err) || errors.Is(err, syscall.EOPNOTSUPP) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			return nil, fmt.Errorf("cannot read cgroup.procs in %s: %w", dir, err)
		}
		if pid != 0 {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

func isRemoved(err error) bool {
	return errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ENODEV)
}

// empty says whether no process lives in l or below.
func (l leaf) empty() bool { return l.await("populated 0", 0) }

// await waits until cgroup.events has a line, and says whether it has.
func (l leaf) await(line string, limit time.Duration) bool {
	f, err := os.Open(l.file("cgroup.events"))
	if err != nil {
		return false
	}
	defer f.Close()
	for end := time.Now().Add(limit); ; {
		text, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<10))
		if err != nil {
			return false
		}
		if strings.Contains("\n"+string(text), "\n"+line+"\n") {
			return true
		}
		left := time.Until(end)
		if left <= 0 {
			return false
		}
		changed := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLPRI}}
		if _, err := unix.Poll(changed, int(left/time.Millisecond)+1); err != nil && !errors.Is(err, unix.EINTR) {
			return false
		}
	}
}

// remove removes l and the cgroups in it.
func (l leaf) remove() error {
	all, err := l.below()
	for _, each := range all {
		err = errors.Join(err, each.removeOne())
	}
	return err
}

func (l leaf) removeOne() error {
	err := syscall.Rmdir(string(l))
	if errors.Is(err, syscall.EBUSY) && l.await("populated 0", emptyTimeout) {
		err = syscall.Rmdir(string(l))
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cannot remove cgroup %s: %w", l, err)
	}
	return nil
}
