// Package watchdog is the watch over the Ray head: a policy over probes that
// returns only with a reason.
//
// Two things are watched. A stream that the head holds open tells of its death at once and costs
// nothing. A probe, sent now and then on another connection, tells whether the head still answers.
// A probe without an answer begins an [episode], and so does one after the end of the stream. In an
// episode, probes follow each other quickly. If one is answered, the episode is over and forgotten.
// If one of the windows of the [Policy] ends first, the head is lost.
//
// Only the monotonic clock counts, so a clock that is set does not matter. If we were late
// ourselves (stopped, starved of CPU), every window begins again: our silence is not the head's. If
// we were only a little late, past the end of a window, the head is asked once more before it is
// lost. The monotonic clock stands still while the host is suspended, and so do the windows.
package watchdog

import (
	"context"
	"errors"
	"time"
)

// Policy says how long the head may stay away. Each window must be positive. The longest of the
// three also bounds an episode in which the head is away now in one way, now in another.
type Policy struct {
	Refused time.Duration // every connection refused, the stream ended
	Silent  time.Duration // nothing comes back on any connection
	Stuck   time.Duration // something comes back, but no answer; or nothing can be asked

	// Interval is the pause between two probes while all is well, give or take a fifth, and the
	// longest pause between two probes in an episode. See the function [Interval].
	Interval time.Duration
}

// Interval returns the pause between probes for a cluster of so many nodes (0 = not known): check,
// or 10 ms for each node if that is longer. So a whole fleet asks its head about 100 times a
// second at most.
func Interval(check time.Duration, nodes int) time.Duration {
	return max(check, time.Duration(nodes)*10*time.Millisecond)
}

// Verdict is the outcome of one probe.
type Verdict string

// The verdicts. Another and Disowned are final: the probe has made sure of them.
const (
	Answered Verdict = "answered" // our head, alive, and it knows this node
	Refused  Verdict = "refused"  // the connection was refused
	Silent   Verdict = "silent"   // time-out, no route, no such name: nothing came back
	Stuck    Verdict = "stuck"    // connected, but no answer
	Unable   Verdict = "unable"   // this host could not ask, such as for want of descriptors; nothing is known of the head
	Another  Verdict = "another"  // an answer, from another cluster
	Disowned Verdict = "disowned" // our head says that this node is dead
)

// Answer is a Verdict with an error that says more; nil if Answered.
type Answer struct {
	Verdict Verdict
	Err     error
}

// Head is how to reach the head.
type Head struct {
	// Follow opens the stream and returns when it has ended, for whatever reason. It calls serving
	// with each status that the head sends. The stream counts as open from the first call on.
	Follow func(ctx context.Context, serving func(bool)) error

	// Probe asks once, on a connection of its own, and returns soon after ctx
	// is done.
	Probe func(ctx context.Context) Answer
}

// CurrentPolicy returns the policy that counts now, and a channel that is closed when it may have
// been replaced; nil = it is never replaced.
type CurrentPolicy func() (Policy, <-chan struct{})

// fixedPolicy is a policy that is never replaced.
func fixedPolicy(p Policy) CurrentPolicy {
	return func() (Policy, <-chan struct{}) { return p, nil }
}

// Watch watches the head until the head is lost (*LostError) or disowns this node
// (*DisownedError), until this host cannot ask it (*UnableError), or until ctx is done (its
// cause). When it returns, nothing that it started still runs. While the head does not answer,
// Watch calls report with a sentence that says so, and again when that changes; when the head
// answers again, with "". report must not block.
//
// A policy that is replaced counts at once. An episode that has begun goes on with the new
// windows. If Silent differs, the stream is opened again, as its connection was made for the old
// value.
func Watch(ctx context.Context, p CurrentPolicy, h Head, report func(doubt string)) error {
	w := watch{current: p, head: h, report: report}
	w.policy, w.replaced = p()
	w.episode.policy = w.policy
	return w.run(ctx)
}

// Judge finds out whether the head was lost when a process of ours has died, as that may be the
// cause. It returns nil as soon as the head answers, even to disown this node, or if it cannot be
// asked. Otherwise it returns what Watch does.
func Judge(ctx context.Context, p Policy, h Head) error {
	ctx, answered := context.WithCancelCause(ctx)
	defer answered(nil)
	probe := func(ctx context.Context) Answer {
		a := h.Probe(ctx)
		if ctx.Err() != nil {
			return a // dropped, or too late: the head did not say this
		}
		switch a.Verdict {
		case Answered, Disowned, Unable:
			answered(errAnswered)
		case Refused, Silent, Stuck, Another:
		}
		return a
	}
	err := Watch(ctx, fixedPolicy(p), Head{Probe: probe}, func(string) {})
	if errors.Is(err, errAnswered) {
		return nil
	}
	return err
}

var errAnswered = errors.New("the head answers")
