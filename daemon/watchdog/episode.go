package watchdog

import (
	"fmt"
	"time"
)

// episode is a stretch of time without an answer. It knows no goroutine and no clock: it is told
// what was seen and when, and says when that is a loss. A zero time means that its window is not
// running. All of them are zero while all is well.
//
// A window ends when something contradicts it. A refusal contradicts silence, as something came
// back. Anything but a refusal contradicts that the head is gone. Only an answer ends the other
// windows. While the stream is open, the kernel of the head still acknowledges it. So a refusal
// does not count as one, and silence does not mean that the host is away: both mean that the head
// is stuck.
//
// While this host cannot ask, an open stream still speaks for the head. Without a stream, nothing
// is known. All other windows end then, and what they had seen is no loss of the head any more.
type episode struct {
	policy  Policy
	since   time.Time // when the episode began
	refused time.Time // every probe refused, the stream ended
	silent  time.Time // nothing came back
	stuck   time.Time // something came back, but no answer
	unable  time.Time // nothing could be asked
	heard   time.Time // when a probe last said that something came back
	err     error     // of the last probe
}

// add adds the verdict of a probe. asked is when it was asked, now is when it came back.
func (e *episode) add(asked, now time.Time, a Answer, streamOpen bool) {
	if a.Verdict == Answered {
		*e = episode{policy: e.policy}
		return
	}
	if a.Verdict == Unable && streamOpen {
		if !e.unable.IsZero() {
			*e = episode{policy: e.policy}
		}
		return
	}
	e.err = a.Err
	if a.Verdict == Unable {
		e.refused, e.silent, e.stuck = time.Time{}, time.Time{}, time.Time{}
		e.begin(&e.unable, asked)
		return
	}
	e.unable = time.Time{}
	switch {
	case a.Verdict == Silent:
		e.refused = time.Time{}
		if asked.Before(e.heard) {
			asked = e.heard
		}
		e.begin(&e.silent, asked)
	case a.Verdict == Refused && !streamOpen:
		e.silent, e.heard = time.Time{}, now
		e.begin(&e.refused, now)
	default:
		e.refused, e.silent, e.heard = time.Time{}, time.Time{}, now
		e.begin(&e.stuck, asked)
	}
}

func (e *episode) begin(window *time.Time, at time.Time) {
	if e.since.IsZero() {
		e.since = at
	}
	if window.IsZero() {
		*window = at
	}
}

// restart begins every running window again, as the time until now says nothing about the head.
func (e *episode) restart(now time.Time) {
	for _, t := range []*time.Time{&e.since, &e.refused, &e.silent, &e.stuck, &e.unable, &e.heard} {
		if !t.IsZero() {
			*t = now
		}
	}
}

// next returns the window that ends first; false while all is well.
func (e *episode) next(streamOpen bool) (window, bool) {
	p := e.policy
	gone := window{LossGone, e.refused, p.Refused}
	silent := window{LossSilent, e.silent, p.Silent}
	if streamOpen {
		gone = window{}
		silent = window{LossStuck, e.silent, p.Stuck}
	}
	next := window{LossStuck, e.since, max(p.Refused, p.Silent, p.Stuck)}
	if !e.unable.IsZero() {
		next.loss = lossUnable
	}
	for _, w := range []window{{LossStuck, e.stuck, p.Stuck}, {lossUnable, e.unable, p.Stuck}, silent, gone} {
		if !w.since.IsZero() && !w.end().After(next.end()) {
			next = w
		}
	}
	return next, !e.since.IsZero()
}

// window is a stretch of time that must not pass without an answer.
type window struct {
	loss   Loss
	since  time.Time
	length time.Duration
}

func (w window) end() time.Time { return w.since.Add(w.length) }

// lastCall is when the head is asked once more, even if a question is still open. A head that is
// back by then is not lost.
func (w window) lastCall() time.Time { return w.end().Add(-w.margin()) }

func (w window) margin() time.Duration { return w.length / 30 }

// probeTimeout is how long a probe may take, if that is longer than while all is well. Several
// probes must fit into the window. The window of a refusal is shorter than an answer may take on a
// long line.
func (w window) probeTimeout() time.Duration { return min(maxProbeTimeout, w.length/4) }

// pause is how long to wait between two probes. For the default window of a refusal it is 50 ms,
// as such a probe costs next to nothing.
func (w window) pause(interval time.Duration) time.Duration {
	return max(minPause, min(interval, w.length/10))
}

// lostError is the error that the end of the window means.
func (w window) lostError(now time.Time, err error) error {
	lasted := now.Sub(w.since)
	if w.loss == lossUnable {
		return &UnableError{Lasted: lasted, Err: err}
	}
	return &LostError{Loss: w.loss, Lasted: lasted, Err: err}
}

func (w window) text(now time.Time, err error) string {
	lasted := now.Sub(w.since).Round(time.Millisecond)
	if w.loss == lossUnable {
		return withReason(fmt.Sprintf("head is not watched: this host could not ask it for %v of %v", lasted, w.length), err)
	}
	return withReason(fmt.Sprintf("head does not answer: %s for %v of %v", w.loss.means(), lasted, w.length), err)
}
