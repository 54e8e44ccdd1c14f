package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

// signalPatience is how long a SIGTERM of Ray's waits for one of raynoded's: a launcher, or a unit
// with KillMode=control-group, sends it to every process at once.
const signalPatience = time.Second

// judge looks at a failure of Ray again. If the head of a worker does not answer either, the head
// comes first; if the raylet left in order, somebody may have drained the node. A node that is
// asked to stop meanwhile has nothing to blame.
func (l *life) judge(ctx context.Context, why error) error {
	var f reason.Failure
	if !errors.As(why, &f) {
		return l.unjoined(why)
	}
	if errors.Is(why, reason.ErrSignalled) {
		_ = l.until(ctx, func(ctx context.Context) error { return pause.For(ctx, signalPatience) })
	}
	if l.role().Kind == role.Worker {
		if lost := l.until(ctx, l.headAnswers); lost != nil {
			return l.unjoined(lost)
		}
	}
	if l.role().Kind == role.Worker && l.joined {
		if err := l.until(ctx, l.member.Drained); err != nil {
			return err
		}
	}
	if ctx.Err() != nil { // neither of the two says so
		return context.Cause(ctx)
	}
	if l.joined && len(l.role().Job.Command) > 0 {
		return fmt.Errorf("%w: %w", reason.ErrRayUnderJob, f.Err)
	}
	return fmt.Errorf("%w: %w", reason.ErrRay, f.Err)
}

// unjoined is what a lost head means to a worker that never joined it.
func (l *life) unjoined(lost error) error {
	if l.joined || !errors.Is(lost, reason.ErrHeadLost) {
		return lost
	}
	return fmt.Errorf("%w: it went away while this node joined: %s", reason.ErrUnreachable, lost.Error())
}

// headAnswers asks whether the head answers after Ray failed here: nil if it does. A persistent
// head that is only away will be back, and what failed here is to be started again for it: only
// another cluster in its place is its loss.
func (l *life) headAnswers(ctx context.Context) error {
	if !l.role().Cluster.PersistentHead {
		policy, _ := l.policy()
		return watchdog.Judge(ctx, policy, l.head())
	}
	ctx, cancel := context.WithTimeout(ctx, cluster.AskTimeout)
	defer cancel()
	if a := l.member.Probe(ctx); a.Verdict == watchdog.Another {
		return &watchdog.LostError{Loss: watchdog.LossAnother, Err: a.Err}
	}
	return nil
}
