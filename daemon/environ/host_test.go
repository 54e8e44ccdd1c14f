package environ

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fixture makes the tree of files that a list in testdata/hosts describes, and reads the host from
// it: "path = content" is a file, "path -> target" a link.
func fixture(t *testing.T, name string) Host {
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
	return ReadHost(root, interfaces)
}

func TestReadHost(t *testing.T) {
	require.Equal(t, Host{Interfaces: []string{"eno1", "lo"}, Lower: map[string][]string{}}, fixture(t, "single-nic"))
	h := fixture(t, "bond-ib")
	require.Equal(t, map[string][]string{"bond0": {"eno1", "eno2"}}, h.Lower)
	require.Equal(t, []HCA{
		{Name: "mlx5_0", Driver: "mlx5_core", Netdevs: []string{"ib0"}, Ports: []Port{{Active: true, Rate: 400}}},
		{Name: "mlx5_1", Netdevs: []string{"ib1"}, Ports: []Port{{Active: true, Rate: 400}}},
		{
			Name:    "mlx5_bond_0",
			Driver:  "mlx5_core",
			Netdevs: []string{"eno1", "bond0"},
			Ports:   []Port{{Active: true, Ethernet: true, Rate: 100}},
		},
	}, h.HCAs)
	require.Equal(t, Host{Lower: map[string][]string{}}, ReadHost(t.TempDir(), nil))
}

func TestDerive(t *testing.T) {
	cases := []struct{ host, netdev, hca, doubt string }{
		{"single-nic", "eno1", "", ""},
		{"many-nics", "enp1s0f0", "", ""},
		{"bond-ib", "bond0", "^=mlx5_bond_0", ""},
		{"bond-ib", "ib0", "", ""}, // a rail is no management port
		{"roce-bond", "bond0.100", "^=mlx5_0", ""},
		{"roce-one", "ens1", "", ""},
		{
			"roce-equal", "rail0", "",
			"rail0, by which this node is reached, is the RoCE device mlx5_0, as fast as the others: NCCL trains over it as " +
				"well; " +
				`if it is for management only, say so: NCCL_IB_HCA = "^=mlx5_0" in [env]`,
		},
		{"efa", "ens32", "", ""},
	}
	for _, c := range cases {
		t.Run(c.host+" "+c.netdev, func(t *testing.T) {
			found, doubt := derive(fixture(t, c.host), c.netdev, "10.4.0.17")
			require.Equal(t, c.doubt, doubt)
			got := map[string]string{}
			for _, d := range found {
				got[d.name] = d.value
			}
			want := map[string]string{
				"NCCL_SOCKET_IFNAME": "=" + c.netdev, "GLOO_SOCKET_IFNAME": c.netdev, "TP_SOCKET_IFNAME": c.netdev,
				"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME": "=" + c.netdev,
			}
			if c.hca != "" {
				want["NCCL_IB_HCA"] = c.hca
			}
			require.Equal(t, want, got)
		})
	}
	found, doubt := derive(fixture(t, "bond-ib"), "", "")
	require.Empty(t, found)
	require.Empty(t, doubt)
}
