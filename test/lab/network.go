package lab

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Network is a switch with hosts. It lives in a network namespace of its own,
// with no way to the machine's network or to another Network.
type Network struct {
	claim *claim
	lab   *Lab

	mutex sync.Mutex
	nodes []*Node
}

// subnet can be the same in every network: they do not see each other.
const subnet = "10.77.0.%d"

const bits = "/24"

// NewNetwork makes an empty network, which is gone with all of its hosts when
// the test ends. The test is skipped where [Namespaces] are missing.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	Need(t, Namespaces())
	l := find(t)
	c, err := hold(l.newClaim)
	require.NoError(t, err)
	n := &Network{claim: c, lab: l}
	t.Cleanup(func() {
		if err := n.close(); err != nil {
			t.Errorf("cannot clean up the lab: %v", err)
		}
	})
	require.NoError(t, unlessEnding(n.makeSwitch))
	return n
}

func (n *Network) close() error {
	if err := killCgroup(n.claim.cgroup); err != nil {
		return err
	}
	for _, node := range n.nodes {
		if node.ended != nil {
			<-node.ended
		}
	}
	return drop(n.claim)
}

func (n *Network) makeSwitch() error {
	return run("ip", [][]string{
		{"netns", "add", n.switchName()},
		{"-n", n.switchName(), "link", "set", "lo", "up"},
		{"-n", n.switchName(), "link", "add", "lan", "type", "bridge"},
		{"-n", n.switchName(), "link", "set", "lan", "up"},
	})
}

func (n *Network) switchName() string {
	return n.claim.name + ".switch"
}

// join gives a new host its name and address and tells all hosts about it.
func (n *Network) join(name, address string) (*Node, error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if address == "" {
		address = fmt.Sprintf(subnet, len(n.nodes)+1)
	}
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Is4() {
		return nil, fmt.Errorf("host %s: address must be IPv4, got %q", name, address)
	}
	for _, other := range n.nodes {
		if other.Name == name || other.Address == ip {
			return nil, fmt.Errorf("host %s at %s: there is %s at %s", name, ip, other.Name, other.Address)
		}
	}
	node := &Node{
		Name:    name,
		Address: ip,
		network: n,
		dir:     filepath.Join(n.claim.dir, name),
		cgroup:  filepath.Join(n.claim.cgroup, name),
	}
	n.nodes = append(n.nodes, node)
	return node, os.Mkdir(node.dir, 0o755)
}

// introduce writes the name of a new host into every /etc/hosts, and all names
// into its own. They are files of each host: a test may change one.
func (n *Network) introduce(node *Node) error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	lines := "127.0.0.1 localhost\n"
	for _, other := range n.nodes {
		lines += other.hostsLine()
		if other != node && other.hosts != "" {
			if err := appendFile(other.hosts, node.hostsLine()); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(node.hosts, []byte(lines), 0o644)
}

func appendFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

func namespacePath(name string) string {
	return filepath.Join("/run/netns", name)
}

func ip(arguments ...string) error {
	return run("ip", [][]string{arguments})
}

// run runs a program once for each list of arguments.
func run(program string, lists [][]string) error {
	for _, arguments := range lists {
		out, err := exec.Command(program, arguments...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s %s: %w: %s", program, strings.Join(arguments, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
