package gcs

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// ClusterID asks for the id of the cluster, in hex. Ray makes a new one when a head starts without
// former state.
func (c *Conn) ClusterID(ctx context.Context) (string, error) {
	const what = "for its cluster id"
	answer, err := ask(ctx, c, what, c.nodes.GetClusterId, &gcspb.GetClusterIdRequest{})
	if err != nil {
		return "", err
	}
	id := answer.GetClusterId()
	if invalidID(id) {
		return "", notRay(c.asking(what), fmt.Sprintf("its cluster id is %d bytes, all 0xff or too many", len(id)))
	}
	return hex.EncodeToString(id), nil
}

// invalidID says whether a value cannot be an id of Ray's: if it is empty, or 0xff alone (Ray's
// own way to say none), or longer than idMost bytes. Ids have 28 bytes today.
func invalidID(id []byte) bool {
	const idMost = 64
	return len(id) > idMost || bytes.Count(id, []byte{0xff}) == len(id)
}

// Alive is the answer of a GCS to CheckAlive.
type Alive struct {
	RayVersion string
	Nodes      []bool // for each node asked about, whether the GCS holds it for alive
}

// CheckAlive asks the GCS itself, through its main loop. So it finds a GCS that hangs, which
// Follow may not notice. The node ids are hex. Give none to a Ray before 2.49, which takes them
// for addresses.
func (c *Conn) CheckAlive(ctx context.Context, nodeIDs ...string) (Alive, error) {
	const what = "whether it is alive"
	question := &gcspb.CheckAliveRequest{}
	for _, id := range nodeIDs {
		raw, err := hex.DecodeString(id)
		if err != nil || invalidID(raw) {
			return Alive{}, &failure{c.asking(what), fmt.Sprintf("node id: must be hex, got %q", id), Unknown, err}
		}
		question.NodeIds = append(question.NodeIds, raw)
	}
	answer, err := ask(ctx, c, what, c.nodes.CheckAlive, question)
	if err != nil {
		return Alive{}, err
	}
	if got := len(answer.GetRayletAlive()); got != len(nodeIDs) {
		return Alive{}, notRay(c.asking(what), fmt.Sprintf("asked for %d nodes, it answered for %d", len(nodeIDs), got))
	}
	return Alive{RayVersion: printable(answer.GetRayVersion()), Nodes: answer.GetRayletAlive()}, nil
}
