package child

import (
	"os"
	"strconv"
	"strings"
)

// Process names one process for good: a PID is used again, a PID with its start time is not.
type Process struct {
	PID     int
	Started uint64   // clock ticks since boot, field 22 of /proc/PID/stat
	Args    []string // argv when it was listed: before an exec it is the parent's, during one it is nil
}

// Children returns the direct children of pid that are alive now. The error is os.ErrProcessDone
// if there is no such process and the kernel can tell; where it cannot, there are no children and
// no error.
func (t *Tree) Children(pid int) ([]Process, error) {
	found, err := children(pid)
	if err != nil {
		return nil, err
	}
	return withArgs(found), nil
}

// Members returns every process of the tree that is alive now: all descendants, and all processes
// in its cgroups. Those of Run and Output are not among them.
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

// args returns nil for a process that has gone or has no arguments.
func args(pid int) []string {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	line := strings.TrimRight(string(text), "\x00")
	if line == "" {
		return nil
	}
	return strings.Split(line, "\x00")
}
