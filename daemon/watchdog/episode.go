package watchdog

import (
	"fmt"
	"time"
)

// episode is one stretch of time without an answer. It knows no goroutine and
// no clock: it is told what was seen and when, and says when that is a loss.
// The zero times mean that a window is not running; all are zero while all is
// well.
//
// A window is over when something contradicts it: a refusal contradicts silence
// (something came back), anything but a refusal contradicts that the head is
// gone, and only an answer ends the rest. A refusal does not count as such while
// the stream is open, and silence then does not mean an absent host: the kernel
// of the head still acknowledges the stream, so both mean that the head is stuck.
//
// Where this host cannot ask, an open stream still speaks for the head. Without
// one nothing is known: no other window goes on, and what they had seen is no
// loss of the head any more.
type episode struct {
	policy  Policy
	since   time.Time // the episode
	refused time.Time // every probe refused, the stream ended
	silent  time.Time // nothing came back
	stuck   time.Time // something came back, but no answer
	unable  time.Time // nothing could be asked
	heard   time.Time // when a probe last said that something came back
	err     error     // of the last probe
}

// take notes the verdict of a probe that was asked and came back at these times.
func (e *episode) take(asked, now time.Time, a Answer, streamOpen bool) {
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

// late restarts every running window: the time until now was not the head's.
func (e *episode) late(now time.Time) {
	for _, t := range []*time.Time{&e.since, &e.refused, &e.silent, &e.stuck, &e.unable, &e.heard} {
		if !t.IsZero() {
			*t = now
		}
	}
}

// next returns the window that would be over first; false while all is well.
func (e *episode) next(streamOpen bool) (window, bool) {
	p := e.policy
	gone := window{WordGone, e.refused, p.Refused}
	silent := window{WordSilent, e.silent, p.Silent}
	if streamOpen {
		gone = window{}
		silent = window{WordStuck, e.silent, p.Stuck}
	}
	next := window{WordStuck, e.since, max(p.Refused, p.Silent, p.Stuck)}
	if !e.unable.IsZero() {
		next.word = wordUnable
	}
	for _, w := range []window{{WordStuck, e.stuck, p.Stuck}, {wordUnable, e.unable, p.Stuck}, silent, gone} {
		if !w.since.IsZero() && !w.end().After(next.end()) {
			next = w
		}
	}
	return next, !e.since.IsZero()
}

// window is a time that must not pass without an answer.
type window struct {
	word   Word
	since  time.Time
	length time.Duration
}

func (w window) end() time.Time { return w.since.Add(w.length) }

// lastCall is when the head is asked once more, whatever question is still
// open: a head that is back by then is not lost.
func (w window) lastCall() time.Time { return w.end().Add(-w.grace()) }

func (w window) grace() time.Duration { return w.length / 30 }

// patience is how long a probe may take, if that is more than while all is well:
// several must fit into the window. A refusal's is shorter than a long line.
func (w window) patience() time.Duration { return min(maxPatience, w.length/4) }

// pause is how long to wait between two probes: 50 ms for the default window of
// a refusal, which costs next to nothing to ask for.
func (w window) pause(interval time.Duration) time.Duration {
	return max(minPause, min(interval, w.length/10))
}

// over is what it means that the window has passed.
func (w window) over(now time.Time, err error) error {
	lasted := now.Sub(w.since)
	if w.word == wordUnable {
		return &UnableError{Lasted: lasted, Err: err}
	}
	return &LostError{Word: w.word, Lasted: lasted, Err: err}
}

func (w window) doubt(now time.Time, err error) string {
	lasted := now.Sub(w.since).Round(time.Millisecond)
	if w.word == wordUnable {
		return withReason(fmt.Sprintf("head is not watched: this host could not ask it for %v of %v", lasted, w.length), err)
	}
	return withReason(fmt.Sprintf("head does not answer: %s for %v of %v", w.word.means(), lasted, w.length), err)
}
