package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// loop is the ground floor of a node: its state, and the one select that changes it. A life stands
// on it, and the Daemon on lives.
type loop struct {
	roles   *roles
	log     logrus.FieldLogger
	relog   func(role.Log)
	systemd *notify.Systemd

	noted     chan note
	proposals chan proposal
	restart   chan struct{} // has room for one
	beat      *time.Ticker

	phase   Phase
	entered time.Time      // when the phase began
	notes   [topics]string // of the status line
	ready   bool           // READY=1 has gone out
	leaving bool           // STOPPING=1 has gone out: no other life follows, whatever the role file says by then
}

func newLoop(r *roles, log logrus.FieldLogger, relog func(role.Log), systemd *notify.Systemd) *loop {
	if relog == nil {
		relog = func(role.Log) {}
	}
	return &loop{
		roles: r, log: log, relog: relog, systemd: systemd,
		noted: make(chan note), proposals: make(chan proposal), restart: make(chan struct{}, 1),
	}
}

// guard blocks until it has something to say about the node. It returns soon after its context
// ends.
type guard func(ctx context.Context) error

// forever is the guard that has nothing to say.
func forever(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// until runs the guards beside the node's loop, the one place that changes the node's state. It
// returns what the first of them said, once all have returned, unless what another said meanwhile
// outweighs it.
func (l *loop) until(ctx context.Context, guards ...guard) error {
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
			case errors.Is(err, reason.ErrChanged): // it came too late for this round
				l.requestRestart()
			case outweighs(err, first):
				first = err
			}
			left--
		case n := <-l.noted:
			l.take(n)
		case p := <-l.proposals:
			l.reload(p)
		case <-l.beat.C:
			l.beatOnce(left == len(guards))
		}
	}
	return first
}

// beatInterval is how often the loop signs to systemd that it is alive, unless WatchdogSec= wants
// it more often.
const beatInterval = 10 * time.Second

func (l *loop) startBeat() {
	every := l.systemd.KeepAliveEvery()
	if every <= 0 || every > beatInterval {
		every = beatInterval
	}
	l.beat = time.NewTicker(every)
}

// beatOnce says that this loop works. While systemd waits for the start it says so only as long as
// there is something to wait for: nothing else ends a start in which a guard does not return once
// it is over, as a file may hang for ever.
func (l *loop) beatOnce(more bool) {
	if l.phase == Waiting {
		l.notified(l.systemd.Status(l.status()))
	}
	if more || l.ready {
		l.notified(l.systemd.KeepAlive())
	}
}

// notified takes what came of a word to systemd. A failure is no reason to end a node.
func (l *loop) notified(err error) {
	if err != nil {
		l.log.WithError(err).Debug("cannot tell systemd")
	}
}
