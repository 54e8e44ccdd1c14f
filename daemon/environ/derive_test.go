package environ

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fixture is a host that daemon/host has read.
func fixture(t *testing.T, name string) Host {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "hosts", name+".json"))
	require.NoError(t, err)
	var h Host
	require.NoError(t, json.Unmarshal(text, &h))
	return h
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
