package host

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/environ"
)

// fixture makes the tree of files that a list in testdata/hosts describes, and reads the host from
// it: "path = content" is a file, "path -> target" a link.
func fixture(t *testing.T, name string) environ.Host {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "hosts", name+".txt"))
	require.NoError(t, err)
	root := t.TempDir()
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		path, target, link := strings.Cut(line, " -> ")
		path, content, _ := strings.Cut(path, " = ")
		path = filepath.Join(root, path)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if link {
			require.NoError(t, os.Symlink(target, path))
		} else {
			require.NoError(t, os.WriteFile(path, []byte(content+"\n"), 0o600))
		}
	}
	entries, err := os.ReadDir(filepath.Join(root, "sys/class/net"))
	require.NoError(t, err)
	var interfaces []string
	for _, e := range entries {
		interfaces = append(interfaces, e.Name())
	}
	return readNetwork(root, interfaces)
}

func TestReadNetwork(t *testing.T) {
	require.Equal(
		t, environ.Host{Interfaces: []string{"eno1", "lo"}, Lower: map[string][]string{}}, fixture(t, "single-nic"),
	)
	h := fixture(t, "bond-ib")
	require.Equal(t, map[string][]string{"bond0": {"eno1", "eno2"}}, h.Lower)
	require.Equal(t, []environ.HCA{
		{Name: "mlx5_0", Driver: "mlx5_core", Netdevs: []string{"ib0"}, Ports: []environ.Port{{Active: true, Rate: 400}}},
		{Name: "mlx5_1", Netdevs: []string{"ib1"}, Ports: []environ.Port{{Active: true, Rate: 400}}},
		{
			Name:    "mlx5_bond_0",
			Driver:  "mlx5_core",
			Netdevs: []string{"eno1", "bond0"},
			Ports:   []environ.Port{{Active: true, Ethernet: true, Rate: 100}},
		},
	}, h.HCAs)
	require.Equal(t, environ.Host{Lower: map[string][]string{}}, readNetwork(t.TempDir(), nil))
}

// What the tests of daemon/environ begin with is what is read here.
func TestReadNetwork_OfEnviron(t *testing.T) {
	paths, err := filepath.Glob("testdata/hosts/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".txt")
		text, err := os.ReadFile(filepath.Join("../environ/testdata/hosts", name+".json"))
		require.NoError(t, err)
		var want environ.Host
		require.NoError(t, json.Unmarshal(text, &want))
		require.Equal(t, want, fixture(t, name), name)
	}
}
