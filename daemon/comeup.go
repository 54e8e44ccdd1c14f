package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
)

// maxStarts is how often Ray is started at most, where only its agents were too slow.
const maxStarts = 3

// comeUp starts Ray and returns once the GCS lists this node. Ray gives its agents a fixed time,
// and what they read is in memory after a start that failed: such a one, and no other, is tried
// again at once, within ray.start_timeout. Nobody else has seen it: workers wait for the head's own
// node.
func (l *life) comeUp(ctx context.Context) error {
	r := l.roles.startRay()
	l.node.Role = r
	if err := l.finalizeEnvironment(); err != nil {
		return err
	}
	l.sayUncompiled()
	l.processes.expect(r)
	for start := 1; ; start++ {
		if err := l.start(); err != nil {
			return err
		}
		err := l.until(ctx, l.processes.supervise, l.arrive, l.watch, l.restartRequested)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, errSlowAgents) || ctx.Err() != nil || l.processes.late():
			return l.judge(ctx, err)
		case start == maxStarts:
			return l.judge(ctx, reason.Failed("in each of %d tries %w", maxStarts, err))
		}
		l.take(note{because, fmt.Sprintf("%s: trying again, %d of %d", errSlowAgents, start+1, maxStarts)})
		if err := l.endFailedStart(ctx); err != nil {
			return l.judge(ctx, reason.Failed("cannot end a start that failed: %w", err))
		}
	}
}

// endFailedStart ends what a start that failed has left, the GCS last.
func (l *life) endFailedStart(ctx context.Context) error {
	grace := l.roles.now().Stop.Grace.Duration
	return l.until(context.WithoutCancel(ctx), func(context.Context) error {
		return l.processes.stop(ctx, grace) // a node that is asked to stop has no time to lose here
	})
}

// sayUncompiled says what makes every start of Ray slow on this host.
func (l *life) sayUncompiled() {
	if packages := l.install.Uncompiled(); packages != "" {
		l.entry().Warnf("ray.bin: the Python files in %s are not compiled: Ray's agents need four times the CPU to start, "+
			"and may take %g s; run once, as a user who may write there: %s",
			packages, ray.AgentTimeout.Seconds(), l.install.Compile(packages))
	}
}
