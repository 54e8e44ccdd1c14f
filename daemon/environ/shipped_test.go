package environ

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
)

const shipped = "../../etc/profiles"

func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

// Every shipped profile loads; that each value has a reason, a source and a date is part of it.
func TestProfiles_Shipped(t *testing.T) {
	paths, err := filepath.Glob(shipped + "/*.toml")
	require.NoError(t, err)
	var names []string
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".toml"))
	}
	require.Equal(t, []string{"efa", "ethernet", "infiniband", "large", "open-instruct", "roce", "single-node"}, names)
	for _, path := range paths {
		p, err := role.LoadProfile(path)
		require.NoError(t, err)
		require.NotEmpty(t, p.Env, p.Name)
		for name := range p.Env {
			require.NotContains(t, ncclPerHost, name, "%s: a profile is the same on every host", p.Name)
			require.NotContains(t, p.Omitted, name, p.Name)
		}
		s := sources(worker(nil))
		s.Profiles, s.Host = []*role.Profile{p}, fixture(t, "bond-ib")
		require.Empty(t, Resolve(s).Warnings, p.Name)
	}
}
