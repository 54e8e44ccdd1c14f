package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// Digests are the digests of the environments of a cluster's nodes.
type Digests struct {
	Common string       `json:"common"` // what most nodes have; in a tie, the head's if it is one of them
	Nodes  []NodeDigest `json:"nodes"`  // by name
}

// NodeDigest is the digest of one node.
type NodeDigest struct {
	Name    string `json:"name"`
	Digest  string `json:"digest"` // "" = none: the node was not started by a raynoded of this release
	Differs bool   `json:"differs"`
}

// Differ says whether there is a node that differs from the others.
func (d Digests) Differ() bool {
	return slices.ContainsFunc(d.Nodes, func(n NodeDigest) bool { return n.Differs })
}

// FindDigests asks the GCS of a decided role for the digests of the nodes that are alive.
func FindDigests(ctx context.Context, decided *role.Role, token gcs.Token) (Digests, error) {
	if decided.Kind == role.Single {
		return Digests{Nodes: []NodeDigest{}}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	conn, all, err := nodesOf(ctx, decided, token)
	switch {
	case errors.Is(err, reason.ErrToken):
		return Digests{}, err
	case err != nil:
		return Digests{}, fmt.Errorf("%w: %w", reason.ErrUnreachable, err)
	}
	defer conn.Close()
	return digests(all), pinned(ctx, conn, decided.Cluster.ID)
}

// digests compares the labels of the nodes that are alive.
func digests(all []gcs.Node) Digests {
	d := Digests{Nodes: []NodeDigest{}}
	votes := map[string]int{}
	head := ""
	for _, n := range aliveNodes(all) {
		digest := n.Labels[ray.DigestLabel]
		d.Nodes = append(d.Nodes, NodeDigest{Name: n.Name, Digest: digest})
		votes[digest]++
		if n.Head {
			head = digest
		}
	}
	d.Common = head
	for _, n := range d.Nodes {
		if votes[n.Digest] > votes[d.Common] {
			d.Common = n.Digest
		}
	}
	for i := range d.Nodes {
		d.Nodes[i].Differs = d.Nodes[i].Digest != d.Common
	}
	slices.SortFunc(d.Nodes, func(a, b NodeDigest) int { return cmp.Compare(a.Name, b.Name) })
	return d
}
