package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/reason"
)

// start starts `ray start`, which puts Ray's processes beside itself and returns.
func (l *life) start() error {
	l.node.StartID = newStartID()
	l.member.IsHead, l.member.StartID = l.node.Head, l.node.StartID
	return l.processes.startRay(child.Command{
		Path: l.install.Bin, Args: l.node.Args(), Env: append(l.environment.Env(), l.node.Env()...), Dir: l.node.TempDir,
	})
}

// arrive returns nil once the GCS lists this very start of this node as alive.
func (l *life) arrive(ctx context.Context) error {
	ctx, cancel := context.WithDeadlineCause(ctx, l.processes.deadline,
		reason.Failed("the GCS does not list this node within ray.start_timeout (%s)", l.role().Ray.StartTimeout))
	defer cancel()
	select {
	case m := <-l.processes.rayletSeen:
		l.program, l.member.NodeID = m.Program, m.NodeID
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return l.member.Await(ctx)
}

// newStartID returns an id that no other start of any node has.
func newStartID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return "raynoded-" + hex.EncodeToString(b)
}
