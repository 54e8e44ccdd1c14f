package cluster

import (
	"fmt"

	"github.com/raynoded/raynoded/daemon/gcs"
)

// Totals is how much of everything a cluster has now.
type Totals struct {
	Nodes int     // alive
	GPUs  float64 // on all of them together
}

// Count counts the nodes that are alive.
func Count(all []gcs.Node) Totals {
	var c Totals
	for _, n := range aliveNodes(all) {
		c.Nodes++
		c.GPUs += n.Resources["GPU"]
	}
	return c
}

// aliveNodes returns the nodes that are alive, each host's once. If a host died and is back, the
// GCS lists its former start for about a minute more: among nodes of the same name and address,
// only the one that started last counts.
func aliveNodes(all []gcs.Node) []gcs.Node {
	var here []gcs.Node
	index := map[[2]string]int{}
	for _, n := range all {
		if !n.Alive {
			continue
		}
		key := [2]string{n.Name, n.Address}
		i, seen := index[key]
		switch {
		case !seen:
			index[key] = len(here)
			here = append(here, n)
		case n.Started.After(here[i].Started):
			here[i] = n
		}
	}
	return here
}

// OutOf says how many nodes and GPUs there are, and how many are expected, if that is known (more
// than 0).
func (c Totals) OutOf(nodes, gpus int) string {
	text := fmt.Sprintf("%d nodes", c.Nodes)
	if c.Nodes == 1 {
		text = "1 node"
	}
	if nodes > 0 {
		text = fmt.Sprintf("%d of %d nodes", c.Nodes, nodes)
	}
	if gpus > 0 {
		text += fmt.Sprintf(", %g of %d GPUs", c.GPUs, gpus)
	}
	return text
}
