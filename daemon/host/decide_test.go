package host

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

func TestDecide_ByAddress(t *testing.T) {
	cases := []struct {
		name string
		more func(*role.Role)
		want role.Kind
		err  string
	}{
		{"my loopback address", func(r *role.Role) { r.Cluster.Head.Host = "127.0.0.9" }, role.Head, ""},
		{"another's address", func(r *role.Role) { r.Cluster.Head.Host = "192.0.2.1" }, role.Worker, ""},
		{
			"an address that no interface has",
			func(r *role.Role) { r.Cluster.Head.Host, r.Node.IP = "192.0.2.1", "192.0.2.1" }, role.Head, "",
		},
		{"one host", func(r *role.Role) { r.Cluster.Nodes = 1 }, role.Single, ""},
		{
			"no address yet", func(r *role.Role) { r.Cluster.Head.Host = "gpu..invalid" }, "",
			"cannot resolve the name gpu..invalid",
		},
		{
			"said by the role file", func(r *role.Role) { r.Kind, r.Cluster.Head.Host = role.Worker, "127.0.0.9" },
			role.Worker, "",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRole(role.Auto)
			c.more(r)
			before := *r
			got, err := Decide(t.Context(), r, func(string) string { return "" })
			require.Equal(t, before, *r, "the role file's own role stays as it is")
			if c.err != "" {
				require.EqualError(t, err, c.err)
				require.ErrorIs(t, err, ErrUnresolved, "which means wait, not worker")
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got.Kind)
			require.Equal(t, r.Cluster.Head, got.Cluster.Head)
		})
	}
}

func TestDecide_ByLauncher(t *testing.T) {
	slurm := func(rank, nodes, head string) map[string]string {
		return map[string]string{"SLURM_NODEID": rank, "SLURM_NNODES": nodes, "HEAD_HOST": head}
	}
	const cannot = "the role cannot be decided: "
	cases := []struct {
		name string
		env  map[string]string
		want role.Kind
		err  string
	}{
		{"rank 0", slurm("0", "4", "gpu-007"), role.Head, ""},
		{"rank 3", slurm("3", "4", "gpu-007"), role.Worker, ""},
		{"one host", slurm("0", "1", "gpu-007"), role.Single, ""},
		{"one host that nobody names", slurm("0", "1", ""), role.Single, ""},
		{
			"nothing is set", nil, "",
			cannot + "cluster.auto.rank: the variable SLURM_NODEID is not set: the launcher must set it\n" +
				cannot + "cluster.auto.nodes: the variable SLURM_NNODES is not set: the launcher must set it\n" +
				cannot + "cluster.auto.head_host: the variable HEAD_HOST is not set: the launcher must set it",
		},
		{
			"no head", slurm("1", "4", ""), "",
			cannot + "cluster.auto.head_host: the variable HEAD_HOST is not set: the launcher must set it",
		},
		{
			"no number", slurm("first", "4", "gpu-007"), "",
			cannot + `cluster.auto.rank: the variable SLURM_NODEID must be a number, got "first"`,
		},
		{
			"less than nothing", slurm("0", "-4", "gpu-007"), "",
			cannot + `cluster.auto.nodes: the variable SLURM_NNODES must be a number, got "-4"`,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newRole(role.Auto)
			r.Cluster.Head = role.Address{Port: 6379}
			r.Cluster.Auto = &role.AutoVars{Rank: "SLURM_NODEID", Nodes: "SLURM_NNODES", HeadHost: "HEAD_HOST"}
			got, err := Decide(t.Context(), r, func(name string) string { return c.env[name] })
			if c.err != "" {
				require.EqualError(t, err, c.err)
				require.ErrorIs(t, err, reason.ErrRole)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, got.Kind)
			if c.want != role.Single {
				require.Equal(t, "gpu-007:6379", got.Cluster.Head.String())
				require.Equal(t, 4, got.Cluster.Nodes)
			}
		})
	}
}
