package lab

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Node is a host on a network: processes with a network, a process table and
// a host name of their own. [Boot] and [Netns] make them.
type Node struct {
	// Name is its host name; on its network it is also known as Name.lab.
	Name string
	// Address is its address on the network.
	Address netip.Addr

	network *Network
	dir     string // of this node in the network's folder
	cgroup  string
	hosts   string // its /etc/hosts, by the machine's path

	main      *exec.Cmd     // what holds the host up, the parent of its PID 1
	ended     chan struct{} // closed when main has ended and the cable is out
	unplugged error         // why the cable could not be pulled then
}

func (n *Node) hostsLine() string {
	return fmt.Sprintf("%s %s.lab %s\n", n.Address, n.Name, n.Name)
}

// launch starts the program that holds the host up, in a cgroup of its own:
// two containers in one cgroup would share their trees, and the units of one
// show up in the other.
func (n *Node) launch(argv ...string) error {
	return unlessEnding(func() error { return n.start(argv) })
}

func (n *Node) start(argv []string) error {
	if err := os.MkdirAll(n.cgroup, 0o755); err != nil {
		return err
	}
	console, err := os.OpenFile(n.console(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer console.Close()
	n.main = inCgroup(exec.Command, n.cgroup, argv...)
	n.main.Stdout, n.main.Stderr = console, console
	n.main.Env = environment()
	if err := n.main.Start(); err != nil {
		return err
	}
	main, ended := n.main, make(chan struct{})
	n.ended = ended
	go func() {
		_ = main.Wait()
		// A host without power is silent: its network must not outlive it, and
		// refuse connections or go on sending for old ones.
		n.unplugged = n.unplug()
		close(ended)
	}()
	return nil
}

// console is the file with what the host printed on its console.
func (n *Node) console() string {
	return filepath.Join(n.dir, "console")
}

// On says whether the host has power. It goes off by itself when its systemd
// has shut down.
func (n *Node) On() bool {
	if n.ended == nil {
		return false
	}
	select {
	case <-n.ended:
		return false
	default:
		return true
	}
}

// leader is the host's PID 1, by the machine's number. It is looked up each
// time: a host may reboot by itself.
func (n *Node) leader() (int, error) {
	if !n.On() {
		return 0, fmt.Errorf("host %s is off", n.Name)
	}
	children, err := childrenOf(n.main.Process.Pid)
	if err != nil {
		return 0, err
	}
	for _, pid := range children {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err == nil && isLeader(string(status)) {
			return pid, nil
		}
	}
	return 0, fmt.Errorf("host %s has no PID 1 yet", n.Name)
}

// isLeader says whether a process is number 1 in a process table below ours.
func isLeader(status string) bool {
	for line := range strings.Lines(status) {
		if numbers, ok := strings.CutPrefix(line, "NSpid:"); ok {
			fields := strings.Fields(numbers)
			return len(fields) > 1 && fields[len(fields)-1] == "1"
		}
	}
	return false
}

func childrenOf(pid int) ([]int, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	var children []int
	for _, field := range strings.Fields(string(data)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		children = append(children, child)
	}
	return children, nil
}

// Kill is a power cut: the cable is dead first, so that nobody hears the
// kernel close the connections, then every process at once. What the host has
// written stays, also what it has not synced, as the machine's kernel goes on.
func (n *Node) Kill(t testing.TB) {
	t.Helper()
	require.True(t, n.On(), "host %s is off", n.Name)
	require.NoError(t, errors.Join(n.cut(true), killCgroup(n.cgroup)))
	<-n.ended
	require.NoError(t, n.unplugged)
}
