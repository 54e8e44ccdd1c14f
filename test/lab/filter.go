package lab

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Filter gives the host's network a firewall, in the words of nft(8), in place of the one it has.
// No words take it away. The rules are the network's: they stay until then, and go with the host's
// power.
func (n *Node) Filter(t testing.TB, rules string) {
	t.Helper()
	nft := exec.Command("ip", "netns", "exec", n.namespace(), "nft", "-f", "-")
	nft.Stdin = strings.NewReader("flush ruleset\n" + rules)
	out, err := nft.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
