package lab

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Freeze stops every process of the host at once, its systemd included, as a
// suspend does, or lets them go on. Its network stays: to others it looks hung,
// and absent only with [Node.Cut]. The clocks go on as well, unlike in a
// suspend. No command can run in a frozen host.
func (n *Node) Freeze(t testing.TB, frozen bool) {
	t.Helper()
	value := map[bool]string{true: "1", false: "0"}[frozen]
	require.NoError(t, os.WriteFile(filepath.Join(n.cgroup, "cgroup.freeze"), []byte(value), 0))
	Until(t, 10*time.Second, n.Name+" has frozen "+value, func() bool {
		events, err := os.ReadFile(filepath.Join(n.cgroup, "cgroup.events"))
		require.NoError(t, err)
		return strings.Contains(string(events), "frozen "+value+"\n")
	})
}
