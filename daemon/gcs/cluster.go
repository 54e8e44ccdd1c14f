package gcs

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// ClusterID asks which cluster this is: a number that Ray makes when a head
// starts without former state, in hex.
func (c *Conn) ClusterID(ctx context.Context) (string, error) {
	const what = "for its cluster id"
	answer, err := ask(ctx, c, what, c.nodes.GetClusterId, &gcspb.GetClusterIdRequest{})
	if err != nil {
		return "", err
	}
	id := answer.GetClusterId()
	if noID(id) {
		return "", odd(c.asking(what), fmt.Sprintf("its cluster id is %d bytes, all 0xff or too many", len(id)))
	}
	return hex.EncodeToString(id), nil
}

// noID reports what cannot be an id of Ray's: nothing, 0xff alone (Ray's own
// way to say none), or more than idMost bytes. Ids have 28 bytes today.
func noID(id []byte) bool {
	const idMost = 64
	return len(id) > idMost || bytes.Count(id, []byte{0xff}) == len(id)
}

// Alive is the answer of a GCS that is alive.
type Alive struct {
	RayVersion string
	Nodes      []bool // for each node asked for, whether the GCS holds it alive
}

// CheckAlive asks the GCS itself, through its main loop, and so finds one that
// hangs, which Follow need not. The node ids are hex; give none to a Ray before
// 2.49, which takes them for addresses.
func (c *Conn) CheckAlive(ctx context.Context, nodeIDs ...string) (Alive, error) {
	const what = "whether it is alive"
	question := &gcspb.CheckAliveRequest{}
	for _, id := range nodeIDs {
		raw, err := hex.DecodeString(id)
		if err != nil || noID(raw) {
			return Alive{}, &failure{c.asking(what), fmt.Sprintf("node id: must be hex, got %q", id), Unknown, err}
		}
		question.NodeIds = append(question.NodeIds, raw)
	}
	answer, err := ask(ctx, c, what, c.nodes.CheckAlive, question)
	if err != nil {
		return Alive{}, err
	}
	if got := len(answer.GetRayletAlive()); got != len(nodeIDs) {
		return Alive{}, odd(c.asking(what), fmt.Sprintf("asked for %d nodes, it answered for %d", len(nodeIDs), got))
	}
	return Alive{RayVersion: plain(answer.GetRayVersion()), Nodes: answer.GetRayletAlive()}, nil
}
