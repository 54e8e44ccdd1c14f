package child

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A look that fails says nothing of who is there: it is tried again for as long as a kill may take.
func TestTree_FinishWithoutSight(t *testing.T) {
	cases := []struct {
		name   string
		blind  time.Duration // no descriptor is free until then
		err    string
		lasted time.Duration
	}{
		{"at once", 0, "", 0},
		{"for a moment", 3 * time.Second, "", 3 * time.Second},
		{"for ever", time.Hour, "cannot see who is still there 10s after SIGKILL: too many open files", killWait},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tree := &Tree{killWait: killWait}
				begun, killed := time.Now(), 0
				err := tree.killUntilGone(func() (snapshot, error) {
					if time.Since(begun) < c.blind {
						return snapshot{}, syscall.EMFILE
					}
					return snapshot{}, nil
				}, func([]stat) { killed++ })
				if c.err == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, c.err)
					require.ErrorIs(t, err, syscall.EMFILE)
				}
				require.InDelta(t, c.lasted, time.Since(begun), float64(2*retryPause))
				require.Equal(t, c.blind > 0, killed > 0, "the cgroups can be killed unseen")
			})
		})
	}
}

// A cgroup that cannot be read keeps no other from being killed.
func TestTree_KillLeavesBeyondABadOne(t *testing.T) {
	dir := t.TempDir()
	bad, good := leaf(filepath.Join(dir, "bad")), leaf(filepath.Join(dir, "good"))
	require.NoError(t, os.WriteFile(string(bad), nil, 0o600))
	require.NoError(t, os.Mkdir(string(good), 0o700))
	tree := &Tree{parent: parentCgroup{support: full, why: errors.New("the test says so")}, leaves: []leaf{bad, good}}
	require.False(t, tree.killLeaves())
	require.FileExists(t, good.file("cgroup.kill"))
}
