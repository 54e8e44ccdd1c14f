package child

import (
	"os"
	"strconv"
	"strings"
)

// Process names one process for good: PIDs are used again, a PID with its start time is not.
type Process struct {
	PID     int
	Started uint64   // clock ticks since boot, field 22 of /proc/PID/stat
	Args    []string // argv as it was shown when listed: before an exec it is the parent's, in the midst of one it is nil
}

// Children returns the direct children of pid that are alive now. The error is os.ErrProcessDone if
// there is no such process, where the kernel can tell; elsewhere it has no children.
func (t *Tree) Children(pid int) ([]Process, error) {
	found, err := children(pid)
	if err != nil {
		return nil, err
	}
	return withArgs(found), nil
}

// Members returns every process of the tree that is alive now: all descendants, and all that are in
// its cgroup. Those of Run and Output are not among them.
func (t *Tree) Members() ([]Process, error) {
	s, err := t.look()
	if err != nil {
		return nil, err
	}
	return withArgs(s.living), nil
}

func withArgs(found []stat) []Process {
	var all []Process
	for _, s := range found {
		if s.alive() {
			p := s.process()
			p.Args = args(s.pid)
			all = append(all, p)
		}
	}
	return all
}

// args is nil for a process that is gone or has none.
func args(pid int) []string {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	line := strings.TrimRight(string(text), "\x00")
	if line == "" {
		return nil
	}
	return strings.Split(line, "\x00")
}
