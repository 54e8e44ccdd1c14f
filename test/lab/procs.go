package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Proc is a process in a host, numbered as the host sees it.
type Proc struct {
	Pid, Parent int
	// State is the kernel's letter: R, S, D, Z, T, …
	State string
	// Cgroup is the path in the host, as in /system.slice/x.service.
	Cgroup string
	// Args is the command line; of a zombie its name in brackets.
	Args []string
}

// String is the process on one line.
func (p Proc) String() string {
	return fmt.Sprintf("%d %d %s %s %s", p.Pid, p.Parent, p.State, p.Cgroup, strings.Join(p.Args, " "))
}

// Procs lists all processes in the host by number. It is read from outside, so that the
// reading is not in it.
func (n *Node) Procs(t testing.TB) []Proc {
	t.Helper()
	leader, err := n.leader()
	require.NoError(t, err)
	root, err := n.rootCgroup(leader)
	require.NoError(t, err)
	tree, err := cgroupMount()
	require.NoError(t, err)
	paths, err := filepath.Glob(rootOf(leader) + "/proc/[0-9]*")
	require.NoError(t, err)
	var procs []Proc
	for _, path := range paths {
		// A process may end while it is read.
		if p, err := readProc(path, strings.TrimPrefix(root, tree)); err == nil {
			procs = append(procs, p)
		}
	}
	slices.SortFunc(procs, func(a, b Proc) int { return a.Pid - b.Pid })
	return procs
}

func readProc(dir, root string) (Proc, error) {
	pid, err := strconv.Atoi(filepath.Base(dir))
	if err != nil {
		return Proc{}, err
	}
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return Proc{}, err
	}
	cmdline, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return Proc{}, err
	}
	cgroup, err := cgroupOf(dir)
	if err != nil {
		return Proc{}, err
	}
	p := Proc{Pid: pid, Cgroup: strings.TrimPrefix(cgroup, root)}
	// "7 (name, which may hold brackets) S 1 …"
	open, end := strings.IndexByte(string(stat), '('), strings.LastIndexByte(string(stat), ')')
	if _, err := fmt.Sscanf(string(stat[end+1:]), " %s %d", &p.State, &p.Parent); err != nil {
		return Proc{}, err
	}
	p.Args = strings.Split(strings.TrimRight(string(cmdline), "\x00"), "\x00")
	if len(cmdline) == 0 {
		p.Args = []string{"[" + string(stat[open+1:end]) + "]"}
	}
	return p, nil
}

// rootOf is the host's file system by the machine's path, as its PID 1 sees it.
func rootOf(leader int) string {
	return fmt.Sprintf("/proc/%d/root", leader)
}
