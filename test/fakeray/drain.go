package fakeray

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"syscall"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// DrainNode drains the raylet of the node. One with an actor has no end of work and stays, as the
// real one does.
func (g *gcs) DrainNode(_ context.Context, q *gcspb.DrainNodeRequest) (*gcspb.DrainNodeReply, error) {
	raylets, err := g.Find("raylet")
	for _, p := range raylets {
		if flag(p.Args, "node_id") == hex.EncodeToString(q.GetNodeId()) && !p.happens(hasActor) {
			err = syscall.Kill(p.PID, syscall.SIGUSR2)
		}
	}
	return &gcspb.DrainNodeReply{IsAccepted: true}, err
}

// happens says whether the process was started with the word in FAKERAY.
func (p Process) happens(m mishap) bool {
	return slices.ContainsFunc(p.Env, func(entry string) bool {
		words, found := strings.CutPrefix(entry, "FAKERAY=")
		return found && slices.Contains(strings.Split(words, ","), string(m))
	})
}
