package daemon

import (
	"fmt"

	"github.com/raynoded/raynoded/daemon/gcs"
)

// Counted is what a cluster has just now.
type Counted struct {
	Nodes int     // alive
	GPUs  float64 // of them all
}

func count(all []gcs.Node) Counted {
	var c Counted
	for _, n := range all {
		if n.Alive {
			c.Nodes++
			c.GPUs += n.Resources["GPU"]
		}
	}
	return c
}

// of says how many nodes and GPUs are there, of how many where that is known.
func (c Counted) of(nodes, gpus int) string {
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
