package daemon

import (
	"context"
	"errors"

	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

// watch is the watch over the head. A head watches its own GCS, once it is there: if that is lost,
// Ray has failed here, not somewhere else.
func (l *life) watch(ctx context.Context) error {
	if l.node.Head && !l.joined {
		return forever(ctx)
	}
	err := watchdog.Watch(ctx, l.policy, l.head(), func(text string) { l.note(ctx, doubt, text) })
	switch {
	case errors.Is(err, watchdog.ErrDisowned):
		return reason.Failure{Err: err}
	case l.node.Head && errors.Is(err, reason.ErrHeadLost):
		return reason.Failed("its own GCS: %s", err.Error())
	default:
		return err
	}
}

// head is the head as the watchdog sees it.
func (l *life) head() watchdog.Head {
	return watchdog.Head{Follow: l.member.Follow, Probe: l.member.Probe}
}

// policy is that of the role in force, and a channel that is closed when another role is.
func (l *life) policy() (watchdog.Policy, <-chan struct{}) {
	r := l.roles.now()
	refused, silent, stuck := r.Windows()
	if w := r.Watchdog; l.node.Head { // its own GCS does not come back by itself
		refused, silent, stuck = w.Refused.Duration, w.Silent.Duration, w.Stuck.Duration
	}
	interval := watchdog.Interval(r.Watchdog.CheckInterval.Duration, r.Cluster.Nodes)
	return watchdog.Policy{Refused: refused, Silent: silent, Stuck: stuck, Interval: interval}, r.replaced
}
