package child

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// stat is what /proc/PID/stat says.
type stat struct {
	pid, parent, group, session, threads int

	comm    string
	state   byte
	started uint64             // clock ticks since boot
	status  syscall.WaitStatus // how it ended; of a zombie, and only for a process that may trace it
	inLeaf  bool               // not from the file: look found it in a cgroup of ours
}

// alive is false for a zombie. A zombie with threads is one whose main thread has ended; the
// process lives.
func (s stat) alive() bool { return s.state != 'Z' && s.state != 'X' || s.threads > 1 }

func (s stat) process() Process { return Process{PID: s.pid, Started: s.started} }

// readStat returns os.ErrProcessDone if there is no such process. It is read for every process of
// the host at every look, so it takes no more system calls than it needs.
func readStat(pid int) (stat, error) {
	var text [1024]byte
	n := 0
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		n, err = unix.Read(fd, text[:])
		_ = unix.Close(fd)
	}
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) {
		return stat{}, os.ErrProcessDone
	}
	if err != nil {
		return stat{}, fmt.Errorf("cannot read the state of process %d: %w", pid, err)
	}
	return parseStat(string(text[:n]))
}

// parseStat counts fields from the last bracket: a name may hold blanks and brackets. The numbers
// are those of proc(5).
func parseStat(text string) (stat, error) {
	open, end := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 1 || end < open {
		return stat{}, fmt.Errorf("cannot read %q: no name in brackets", text)
	}
	fields := strings.Fields(text[end+1:])
	const first, last = 3, 52
	if len(fields) <= last-first {
		return stat{}, fmt.Errorf("cannot read %q: fewer than %d fields", text, last)
	}
	var failed error
	number := func(n int) int {
		v, err := strconv.Atoi(fields[n-first])
		failed = errors.Join(failed, err)
		return v
	}
	s := stat{
		comm: text[open+1 : end], state: fields[0][0],
		parent: number(4), group: number(5), session: number(6), threads: number(20),
		started: uint64(number(22)), status: syscall.WaitStatus(number(52)),
	}
	pid, err := strconv.Atoi(strings.TrimSpace(text[:open]))
	s.pid = pid
	return s, errors.Join(err, failed)
}

// processes returns every process of this host that can be seen.
func processes() ([]stat, error) {
	pids, err := numbers("/proc")
	if err != nil {
		return nil, fmt.Errorf("cannot list the processes: %w", err)
	}
	return stats(pids)
}

// stats leaves out those that are gone, and those that /proc hides from us (hidepid=): they are not
// ours.
func stats(pids []int) ([]stat, error) {
	all := make([]stat, 0, len(pids))
	for _, pid := range pids {
		s, err := readStat(pid)
		if errors.Is(err, os.ErrProcessDone) || errors.Is(err, os.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// children returns the direct children of pid, zombies included. Where the kernel does not list
// them (it is built without CONFIG_PROC_CHILDREN), all processes are searched.
func children(pid int) ([]stat, error) {
	if _, err := os.Stat("/proc/thread-self/children"); err == nil {
		pids, err := listed(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return nil, err
		}
		return stats(pids)
	}
	all, err := processes()
	var found []stat
	for _, s := range all {
		if s.parent == pid {
			found = append(found, s)
		}
	}
	return found, err
}

// listed reads the children of every thread in a task folder of /proc: a child belongs to the
// thread that made it.
func listed(task string) ([]int, error) {
	threads, err := numbers(task)
	if errors.Is(err, os.ErrNotExist) {
		return nil, os.ErrProcessDone
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list threads: %w", err)
	}
	var pids []int
	for _, thread := range threads {
		text, err := os.ReadFile(filepath.Join(task, strconv.Itoa(thread), "children"))
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // the thread is gone
		}
		if err != nil {
			return nil, fmt.Errorf("cannot list children: %w", err)
		}
		for _, word := range bytes.Fields(text) {
			pid, err := strconv.Atoi(string(word))
			if err != nil {
				return nil, fmt.Errorf("cannot list children: %w", err)
			}
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// numbers returns the names in a folder that are numbers.
func numbers(dir string) ([]int, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	var found []int
	for _, name := range names {
		if n, err := strconv.Atoi(name); err == nil {
			found = append(found, n)
		}
	}
	return found, err
}
