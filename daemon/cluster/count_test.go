package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
)

// A host that is back is one node, although the GCS lists its former start as alive for a while.
func TestPresent(t *testing.T) {
	node := func(name, address string, started int64, gpus float64) gcs.Node {
		return gcs.Node{
			Name:      name,
			Address:   address,
			Alive:     true,
			Started:   time.UnixMilli(started),
			Resources: map[string]float64{"GPU": gpus},
		}
	}
	dead := node("gpu-4", "10.0.0.4", 90, 8)
	dead.Alive = false
	for name, c := range map[string]struct {
		all, here []gcs.Node
		counted   Totals
	}{
		"nobody": {nil, nil, Totals{}},
		"a host that is back": {
			[]gcs.Node{
				node("gpu-1", "10.0.0.1", 10, 8), node("gpu-2", "10.0.0.2", 10, 8), node("gpu-2", "10.0.0.2", 70, 4), dead,
			},
			[]gcs.Node{node("gpu-1", "10.0.0.1", 10, 8), node("gpu-2", "10.0.0.2", 70, 4)},
			Totals{2, 12},
		},
		"in any order": {
			[]gcs.Node{node("gpu-2", "10.0.0.2", 70, 4), node("gpu-2", "10.0.0.2", 10, 8), node("gpu-2", "10.0.0.2", 40, 2)},
			[]gcs.Node{node("gpu-2", "10.0.0.2", 70, 4)},
			Totals{1, 4},
		},
		"two nodes of one host": {
			[]gcs.Node{node("one", "10.0.0.1", 10, 4), node("two", "10.0.0.1", 10, 4)},
			[]gcs.Node{node("one", "10.0.0.1", 10, 4), node("two", "10.0.0.1", 10, 4)},
			Totals{2, 8},
		},
		"one name on two hosts": {
			[]gcs.Node{node("localhost", "10.0.0.1", 10, 8), node("localhost", "10.0.0.2", 10, 8)},
			[]gcs.Node{node("localhost", "10.0.0.1", 10, 8), node("localhost", "10.0.0.2", 10, 8)},
			Totals{2, 16},
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.here, aliveNodes(c.all))
			require.Equal(t, c.counted, Count(c.all))
		})
	}
}

// What `env --cluster` compares is the last start's.
func TestDigests_BackAgain(t *testing.T) {
	node := func(name, digest string, started int64) gcs.Node {
		return gcs.Node{
			Name: name, Address: name, Alive: true, Started: time.UnixMilli(started), Labels: map[string]string{
				ray.DigestLabel: digest,
			},
		}
	}
	got := digests([]gcs.Node{node("gpu-1", "1a2b3c4d", 10), node("gpu-2", "99999999", 10), node("gpu-2", "1a2b3c4d", 70)})
	require.Equal(t, Digests{
		Common: "1a2b3c4d",
		Nodes:  []NodeDigest{{Name: "gpu-1", Digest: "1a2b3c4d"}, {Name: "gpu-2", Digest: "1a2b3c4d"}},
	}, got)
}
