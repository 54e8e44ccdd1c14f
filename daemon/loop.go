package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/raynoded/raynoded/daemon/watchdog"
)

// guard blocks until it has something to say about the node. It returns soon after its context
// ends.
type guard func(ctx context.Context) error

// beat is how often the loop signs to systemd that it is alive, unless WatchdogSec= wants it more
// often.
const beat = 10 * time.Second

// until runs the guards beside the node's loop, the one place that changes the node's state. It
// returns what the first of them said, once all have returned, unless what another said meanwhile
// outweighs it.
func (d *Daemon) until(ctx context.Context, guards ...guard) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	said := make(chan error)
	for _, g := range guards {
		go func() { said <- g(ctx) }()
	}
	var first error
	for left := len(guards); left > 0; {
		select {
		case err := <-said:
			switch {
			case left == len(guards):
				first = err
				cancel()
			case errors.Is(err, errAnew): // it came too late for this round
				d.renew()
			case outweighs(err, first):
				first = err
			}
			left--
		case n := <-d.news:
			d.hear(n)
		case p := <-d.proposals:
			d.reload(p)
		case <-d.beat.C:
			d.beatOnce(left == len(guards))
		}
	}
	return first
}

// outweighs says whether what a guard said beside the first counts more: that Ray, the job or the
// head has ended, beside the word that all is well or that a new life is to begin. It may never be
// said again. Anything else may only have been said because the guard was cut off.
func outweighs(err, first error) bool {
	var f failure
	var end *JobEnd
	switch {
	case first != nil && !errors.Is(first, errAnew):
		return false
	case first == nil && errors.Is(err, ErrMismatch): // `ray start` may find it after the GCS has listed the node
		return true
	default:
		return errors.As(err, &f) || errors.As(err, &end) || errors.Is(err, watchdog.ErrHeadLost)
	}
}

// beatOnce says that this loop works. While systemd waits for the start it says so only as long as
// there is something to wait for: nothing else ends a start in which a guard does not return once
// it is over, as a file may hang for ever.
func (d *Daemon) beatOnce(more bool) {
	if d.phase == Waiting {
		d.told(d.systemd.Status(d.status()))
	}
	if more || d.ready {
		d.told(d.systemd.KeepAlive())
	}
}

// tell hands news to the loop.
func (d *Daemon) tell(ctx context.Context, t topic, text string) {
	select {
	case d.news <- news{t, text}:
	case <-ctx.Done():
	}
}

// told notes that systemd could not be told. It is no reason to end a node.
func (d *Daemon) told(err error) {
	if err != nil {
		d.log.WithError(err).Debug("cannot tell systemd")
	}
}

// errLimit is the cause of a context whose time is up, as within makes it.
var errLimit = errors.New("time is up")

func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, errLimit)
}

// forever is the guard that has nothing to say.
func forever(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// pause waits, or returns the reason why the context ended.
func pause(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
