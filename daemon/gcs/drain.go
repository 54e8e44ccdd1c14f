package gcs

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// Drain tells the GCS that a node (its id in hex) goes at the deadline: nothing new is placed on
// it, and its raylet ends by itself once it has nothing to do. Nobody ends it at the deadline;
// nothing takes this back. An id that is not alive is accepted, too.
func (c *Conn) Drain(ctx context.Context, nodeID, message string, deadline time.Time) error {
	doing := c.asking("to drain a node")
	raw, err := hex.DecodeString(nodeID)
	if err != nil || noID(raw) {
		return &failure{doing, fmt.Sprintf("node id: must be hex, got %q", nodeID), Unknown, err}
	}
	if c.wire.end() != nil {
		return c.read(ctx, doing, nil)
	}
	answer, err := c.drain.DrainNode(ctx, &gcspb.DrainNodeRequest{
		NodeId: raw, Reason: gcspb.DrainNodeReason_DRAIN_NODE_REASON_PREEMPTION,
		ReasonMessage: []byte(message), DeadlineTimestampMs: deadline.UnixMilli(),
	})
	switch {
	case err != nil:
		return c.read(ctx, doing, err)
	case !answer.GetIsAccepted():
		return &failure{doing, "the GCS refuses: " + brief(answer.GetRejectionReasonMessage()), Rejected, nil}
	default:
		return nil
	}
}
