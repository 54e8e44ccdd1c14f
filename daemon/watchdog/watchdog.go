// Package watchdog is the watch over the Ray head: a policy over probes that
// returns only with a reason.
//
// Two things are watched. A stream that the head holds open tells of its death
// at once and costs nothing; a probe on another connection, asked now and then,
// tells whether the head still answers. A probe without an answer, or one that
// follows the end of the stream, begins an [episode]: probes then follow each
// other quickly until one is answered, which forgets everything, or until one of
// the windows of the [Policy] is over, which is the loss of the head.
//
// Only the monotonic clock counts, so a stepped clock does not matter. If we
// were late ourselves (stopped, starved of CPU), every window restarts: our
// silence is not the head's. If we were only a little late, over the end of a
// window, the head is asked once more before it is lost. That clock stands
// still while the host is suspended, and so do the windows.
package watchdog

import (
	"context"
	"errors"
	"time"
)

// Policy says how long the head may stay away. Each window must be positive.
// The longest of the three also bounds an episode in which the head is away in
// changing ways.
type Policy struct {
	Refused time.Duration // every connection refused, the stream ended
	Silent  time.Duration // nothing comes back on any connection
	Stuck   time.Duration // something comes back, but no answer; or nothing can be asked

	// Interval is the pause between two probes while all is well, give or take
	// a fifth, and the longest pause between two in an episode. See [Interval].
	Interval time.Duration
}

// Interval returns the pause between probes for a cluster of that many nodes
// (0: not known): check, or 10 ms for each node if that is longer, so that a
// fleet asks its head about 100 times a second at most.
func Interval(check time.Duration, nodes int) time.Duration {
	return max(check, time.Duration(nodes)*10*time.Millisecond)
}

// Verdict is what came of one probe.
type Verdict string

// The verdicts. Another and Disowned are final; whoever probes has made sure.
const (
	Answered Verdict = "answered" // our head, alive, and it knows this node
	Refused  Verdict = "refused"  // the connection was refused
	Silent   Verdict = "silent"   // time-out, no route, no such name: nothing came back
	Stuck    Verdict = "stuck"    // connected, but no answer
	Unable   Verdict = "unable"   // this host could not ask, for want of descriptors, say: nothing is known of the head
	Another  Verdict = "another"  // an answer, from another cluster
	Disowned Verdict = "disowned" // our head says that this node is dead
)

// Answer is a Verdict with the error that says more; nil if Answered.
type Answer struct {
	Verdict Verdict
	Err     error
}

// Head is how to reach the head.
type Head struct {
	// Follow opens the stream and returns when it has ended, for whatever
	// reason. It calls serving with each status that the head sends; the
	// stream counts as open from the first call on.
	Follow func(ctx context.Context, serving func(bool)) error

	// Probe asks once, on a connection of its own, and returns soon after ctx
	// is done.
	Probe func(ctx context.Context) Answer
}

// InForce returns the policy that counts now, and a channel that is closed when
// it may have been replaced; nil: it stays.
type InForce func() (Policy, <-chan struct{})

// fixed is a policy that stays.
func fixed(p Policy) InForce {
	return func() (Policy, <-chan struct{}) { return p, nil }
}

// Watch watches the head until it is lost (*LostError), it disowns this node
// (*DisownedError), this host cannot ask it (*UnableError), or ctx is done (its
// cause). Nothing that it started runs on
// when it returns. While the head does not answer, tell is called with a
// sentence that says so, again when that changes, and with "" when the head
// answers again; it must not block.
//
// A policy that is replaced counts at once, for an episode that has begun too:
// it goes on with other windows. If Silent differs, the stream is opened again,
// as its connection was made for the old one.
func Watch(ctx context.Context, p InForce, h Head, tell func(doubt string)) error {
	w := watch{inForce: p, head: h, tell: tell}
	w.policy, w.replaced = p()
	w.episode.policy = w.policy
	return w.run(ctx)
}

// Judge is asked when a process of ours has died, which the loss of the head
// may have caused: nil as soon as the head answers, even to disown this node, or
// cannot be asked, else as Watch.
func Judge(ctx context.Context, p Policy, h Head) error {
	ctx, answered := context.WithCancelCause(ctx)
	defer answered(nil)
	probe := func(ctx context.Context) Answer {
		a := h.Probe(ctx)
		if ctx.Err() != nil {
			return a // dropped, or too late: whatever it says, it was not the head
		}
		switch a.Verdict {
		case Answered, Disowned, Unable:
			answered(errAnswered)
		case Refused, Silent, Stuck, Another:
		}
		return a
	}
	err := Watch(ctx, fixed(p), Head{Probe: probe}, func(string) {})
	if errors.Is(err, errAnswered) {
		return nil
	}
	return err
}

var errAnswered = errors.New("the head answers")
