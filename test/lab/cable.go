package lab

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// Interface is the name of a host's network interface.
const Interface = "eth0"

// plug makes the host's network namespace with a cable to the switch. Each
// start of a host gets a new one, without the connections of the last.
func (n *Node) plug() error {
	return unlessEnding(n.plugIn)
}

func (n *Node) plugIn() error {
	mine, lan := n.namespace(), n.network.switchName()
	return run("ip", [][]string{
		{"netns", "add", mine},
		{"-n", mine, "link", "set", "lo", "up"},
		{"-n", lan, "link", "add", n.port(), "type", "veth", "peer", "name", Interface, "netns", mine},
		{"-n", lan, "link", "set", n.port(), "master", "lan", "up"},
		{"-n", mine, "link", "set", Interface, "address", n.mac()},
		{"-n", mine, "address", "add", n.Address.String() + bits, "dev", Interface},
		{"-n", mine, "link", "set", Interface, "up"},
	})
}

func (n *Node) unplug() error {
	// The namespace itself may live on for a moment: the cable must not.
	if err := ip("-n", n.network.switchName(), "link", "delete", n.port()); err != nil {
		return err
	}
	return ip("netns", "delete", n.namespace())
}

// Cut pulls the host's cable, or plugs it in again. Both ends then see no
// carrier; neither gets a FIN or a RST.
func (n *Node) Cut(t testing.TB, cut bool) {
	t.Helper()
	require.NoError(t, n.cut(cut))
}

func (n *Node) cut(cut bool) error {
	state := map[bool]string{true: "down", false: "up"}[cut]
	return ip("-n", n.network.switchName(), "link", "set", n.port(), state)
}

func (n *Node) namespace() string {
	return n.network.claim.name + "." + n.Name
}

// port is the switch's end of the cable.
func (n *Node) port() string {
	return "to-" + n.Name
}

// mac is always the same for an address, as a real card's: the other hosts
// remember it over a reboot of this one.
func (n *Node) mac() string {
	a := n.Address.As4()
	return fmt.Sprintf("02:77:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3])
}
