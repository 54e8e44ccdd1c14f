package gcs

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// Drain tells the GCS that a node (its id in hex) goes away at the deadline. Ray places nothing
// new on it, and its raylet ends by itself once it has nothing to do. Ray does not end the node at
// the deadline, and a drain cannot be taken back. The GCS also accepts an id of a node that is not
// alive.
func (c *Conn) Drain(ctx context.Context, nodeID, message string, deadline time.Time) error {
	doing := c.asking("to drain a node")
	raw, err := hex.DecodeString(nodeID)
	if err != nil || invalidID(raw) {
		return &failure{doing, fmt.Sprintf("node id: must be hex, got %q", nodeID), Unknown, err}
	}
	if c.wire.end() != nil {
		return c.readError(ctx, doing, nil)
	}
	answer, err := c.drain.DrainNode(ctx, &gcspb.DrainNodeRequest{
		NodeId: raw, Reason: gcspb.DrainNodeReason_DRAIN_NODE_REASON_PREEMPTION,
		ReasonMessage: []byte(message), DeadlineTimestampMs: deadline.UnixMilli(),
	})
	switch {
	case err != nil:
		return c.readError(ctx, doing, err)
	case !answer.GetIsAccepted():
		return &failure{doing, "the GCS refuses: " + shorten(answer.GetRejectionReasonMessage()), Rejected, nil}
	default:
		return nil
	}
}
