package lab

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Netns plugs a host without systemd into the network: it has a network, a
// host name, an /etc/hosts and a process table of its own, and for the rest the
// machine's files. An empty address means the next free one.
//
// The process table matters: `ray start --head` reads it, and would take the
// raylet of another host for its own.
func Netns(t testing.TB, network *Network, name, address string) *Node {
	t.Helper()
	n, err := network.join(name, address)
	require.NoError(t, err)
	n.hosts = filepath.Join(n.dir, "hosts")
	require.NoError(t, network.introduce(n))
	require.NoError(t, n.plug())
	require.NoError(t, n.launch("nsenter", "--net="+namespacePath(n.namespace()), "--",
		"unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc", "--",
		"sh", "-c", initScript, n.hosts, n.Name))
	Until(t, 10*time.Second, "host "+name+" is up", n.isUp)
	return n
}

// initScript is PID 1 of such a host. A shell in wait also reaps the orphans
// that it is given. The hosts file comes last, for isUp.
const initScript = `cd / && hostname "$1" && mount --bind "$0" /etc/hosts || exit
while :; do sleep infinity & wait; done`

func (n *Node) isUp() bool {
	leader, err := n.leader()
	if err != nil {
		return false
	}
	inside, err := os.Stat(rootOf(leader) + "/etc/hosts")
	if err != nil {
		return false
	}
	outside, err := os.Stat(n.hosts)
	return err == nil && os.SameFile(inside, outside)
}
