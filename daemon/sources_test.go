package daemon

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Of a file with two places the first that there is counts, as for who reads it.
func TestFingerprint(t *testing.T) {
	dir := t.TempDir()
	own, shipped := filepath.Join(dir, "own"), filepath.Join(dir, "shipped")
	before := ""
	for _, c := range []struct {
		name   string
		change func() error
		differ bool
	}{
		{"only the second", func() error { return os.WriteFile(shipped, []byte("1"), 0o600) }, true},
		{"the second changes", func() error { return os.WriteFile(shipped, []byte("2"), 0o600) }, true},
		{"the first comes", func() error { return os.WriteFile(own, []byte("2"), 0o600) }, true},
		{"the second changes behind the first", func() error { return os.WriteFile(shipped, []byte("3"), 0o600) }, false},
		{"the first changes", func() error { return os.WriteFile(own, []byte("4"), 0o600) }, true},
		{"a pipe, which nobody waits for", func() error { _ = os.Remove(own); return unix.Mkfifo(own, 0o600) }, true},
		{"the first goes", func() error { return os.Remove(own) }, true},
	} {
		require.NoError(t, c.change())
		now := fingerprint([][]string{{own, shipped}})
		require.Equal(t, c.differ, now != before, c.name)
		before = now
	}
}
