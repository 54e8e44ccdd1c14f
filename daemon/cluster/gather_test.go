package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs"
)

func TestWanted_Compare(t *testing.T) {
	node := func(name string, alive bool, gpus float64) gcs.Node {
		return gcs.Node{
			Name:      name,
			Host:      "host-of-" + name,
			Address:   "10.0.0." + name[len(name)-1:],
			Alive:     alive,
			Resources: map[string]float64{"CPU": 64, "GPU": gpus},
		}
	}
	both := []gcs.Node{node("gpu-2", true, 8), node("gpu-1", true, 8)}
	back := append([]gcs.Node{node("gpu-2", true, 8)}, both...)
	reborn := append([]gcs.Node{node("gpu-2", false, 8), node("gpu-3", false, 8), node("gpu-3", false, 8)}, both...)
	cases := []struct {
		name     string
		want     Wanted
		all      []gcs.Node
		complete bool
		text     string
	}{
		{"nothing wanted", Wanted{}, nil, true, "0 nodes"},
		{"enough", Wanted{Nodes: 2, GPUs: 16}, both, true, "2 of 2 nodes, 16 of 16 GPUs; here: gpu-1, gpu-2"},
		{"more than enough", Wanted{Nodes: 1}, both, true, "2 of 1 nodes; here: gpu-1, gpu-2"},
		{"too few nodes", Wanted{Nodes: 3}, both, false, "2 of 3 nodes; here: gpu-1, gpu-2"},
		{"too few GPUs", Wanted{GPUs: 17}, both, false, "2 nodes, 16 of 17 GPUs; here: gpu-1, gpu-2"},
		{
			"a host missing", Wanted{Nodes: 2, Hosts: []string{"gpu-4", "gpu-1"}}, both, false,
			"2 of 2 nodes; here: gpu-1, gpu-2; missing: gpu-4",
		},
		{
			"hosts by their other names", Wanted{Hosts: []string{"host-of-gpu-1", "10.0.0.2"}}, both, true,
			"2 nodes; here: gpu-1, gpu-2",
		},
		{
			"the dead do not count", Wanted{Nodes: 3, Hosts: []string{"gpu-3"}}, reborn, false,
			"2 of 3 nodes; here: gpu-1, gpu-2; missing: gpu-3; left: gpu-3",
		},
		{
			"who is back counts once", Wanted{Nodes: 3, GPUs: 24}, back, false,
			"2 of 3 nodes, 16 of 24 GPUs; here: gpu-1, gpu-2",
		},
		{
			"who came back has not left", Wanted{Nodes: 2, Hosts: []string{"gpu-2"}}, reborn, true,
			"2 of 2 nodes; here: gpu-1, gpu-2; left: gpu-3",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := c.want.compare(c.all)
			require.Equal(t, c.complete, g.Complete)
			require.Equal(t, c.text, g.String())
		})
	}
}
