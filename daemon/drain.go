package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/raynoded/raynoded/daemon/role"
)

// drain is how a worker that was asked to stop, or to begin anew, leaves its cluster: the GCS hears
// of it and places no more work here, and what runs has stop.drain to end. The raylet's own end,
// which comes when it has nothing to do any more, ends the wait early; so do a lost head and the
// end of hurry. It returns why the wait is over, nil if there was none.
func (l *life) drain(hurry context.Context, why error) error {
	limit := l.now().Stop.Drain.Duration
	meant := errors.Is(why, ErrAsked) || errors.Is(why, errAnew)
	if limit == 0 || !meant || !l.joined || l.brood.ended || l.role.Kind != role.Worker {
		return nil
	}
	l.enter(Draining, why)
	ctx, cancel := within(hurry, limit)
	defer cancel()
	over := l.until(ctx, l.leave, l.tend, l.watch)
	l.brood.headless = gone(over)
	l.entry().WithField("reason", over.Error()).Info("no longer draining")
	return over
}

// elsewhere says whether the files now want something else of this node than to be a worker of the
// head it has.
func (l *life) elsewhere() bool {
	next := l.carry(l.file, l.role)
	return next.Kind != l.role.Kind || next.Cluster.Head != l.role.Cluster.Head
}

// leave announces to the GCS that this node goes. It returns only if that fails: then there is
// nothing to wait for.
func (l *life) leave(ctx context.Context) error {
	deadline, _ := ctx.Deadline()
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	asking, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	if err := conn.Drain(asking, l.nodeID, "its raynoded was asked to stop", deadline); err != nil {
		return err
	}
	l.tell(ctx, reason, "no new work until "+deadline.Format(time.TimeOnly))
	return forever(ctx)
}
