package host

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/role"
)

func TestFingerprint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	before := ""
	for _, c := range []struct {
		name   string
		change func() error
		differ bool
	}{
		{"there is none", func() error { return nil }, true},
		{"it comes", func() error { return os.WriteFile(path, []byte("1"), 0o600) }, true},
		{"it is written again", func() error { return os.WriteFile(path, []byte("1"), 0o600) }, false},
		{"it changes", func() error { return os.WriteFile(path, []byte("2"), 0o600) }, true},
		{"a pipe, which nobody waits for", func() error { _ = os.Remove(path); return unix.Mkfifo(path, 0o600) }, true},
		{"it goes", func() error { return os.Remove(path) }, true},
	} {
		require.NoError(t, c.change())
		now := fingerprint([]string{path})
		require.Equal(t, c.differ, now != before, c.name)
		before = now
	}
}

// What comes with the package is not followed: an upgrade is no edit, and ends no training run.
func TestNamedFiles(t *testing.T) {
	r := newRole(role.Worker)
	r.Files = []string{"/site/role.toml"}
	r.Auth.Mode, r.Auth.TokenFile = role.Token, "/site/token"
	r.EnvFrom.Files = []string{"/site/a.env", "credential:wandb"}
	r.EnvFrom.Profiles = []string{"ethernet", "large"}
	require.Equal(t, map[string][]string{
		"auth.token_file":   {"/site/token"},
		"env_from.files":    {"/site/a.env"},
		"env_from.profiles": {"/site/profiles/ethernet.toml", "/site/profiles/large.toml"},
	}, namedFiles(r))
}
