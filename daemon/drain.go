package daemon

import (
	"context"
	"time"

	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// drain is how a worker leaves its cluster that was asked to stop, or whose role has changed: the
// GCS hears of it and places no more work here, and what runs has stop.drain to end. The raylet's
// own end, which comes when it has nothing to do any more, ends the wait early; so do a lost head
// and the end of hurry. It returns why the wait is over, nil if there was none.
func (l *life) drain(hurry context.Context, why error) error {
	limit := l.roles.now().Stop.Drain.Duration
	wanted := reason.Of(why).Wanted
	if limit == 0 || !wanted || !l.joined || l.processes.ended || l.role().Kind != role.Worker {
		return nil
	}
	l.enter(Draining, why)
	ctx, cancel := pause.Within(hurry, limit)
	defer cancel()
	over := l.until(ctx, l.announceDrain, l.processes.supervise, l.watch)
	l.processes.headless = reason.Of(over).HeadGone
	l.entry().WithField("reason", over.Error()).Info("no longer draining")
	return over
}

// announceDrain announces to the GCS that this node goes. It returns only if that fails: then there
// is nothing to wait for.
func (l *life) announceDrain(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	if err := l.member.Leave(ctx, "its raynoded was asked to stop", deadline); err != nil {
		return err
	}
	l.note(ctx, because, "no new work until "+deadline.Format(time.TimeOnly))
	return forever(ctx)
}
