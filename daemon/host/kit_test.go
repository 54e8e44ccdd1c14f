package host

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
)

func newRole(kind role.Kind) *role.Role {
	r := &role.Role{Name: "role", Kind: kind}
	r.Cluster.Head = role.Address{Host: "gpu-001", Port: 6379}
	r.Cluster.JoinTimeout.Duration = 20 * time.Minute
	r.Watchdog.OnHeadLoss = role.Stop
	return r
}

func listing(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	return entries
}
