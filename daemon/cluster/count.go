package cluster

import (
	"fmt"

	"github.com/raynoded/raynoded/daemon/gcs"
)

// Counted is what a cluster has just now.
type Counted struct {
	Nodes int     // alive
	GPUs  float64 // of them all
}

// Count counts the nodes that are alive.
func Count(all []gcs.Node) Counted {
	var c Counted
	for _, n := range present(all) {
		c.Nodes++
		c.GPUs += n.Resources["GPU"]
	}
	return c
}

// present are the nodes that are alive, each once. A host that died and is back stays listed with
// its former start for about a minute: of one name and address only the last start counts.
func present(all []gcs.Node) []gcs.Node {
	var here []gcs.Node
	at := map[[2]string]int{}
	for _, n := range all {
		if !n.Alive {
			continue
		}
		who := [2]string{n.Name, n.Address}
		i, seen := at[who]
		switch {
		case !seen:
			at[who] = len(here)
			here = append(here, n)
		case n.Started.After(here[i].Started):
			here[i] = n
		}
	}
	return here
}

// Of says how many nodes and GPUs are there, of how many where that is known.
func (c Counted) Of(nodes, gpus int) string {
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
