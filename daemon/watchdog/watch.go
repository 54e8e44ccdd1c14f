package watchdog

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	beat    = time.Second             // the loop wakes this often, to notice its own lateness
	tooLate = 2500 * time.Millisecond // not awake for two beats and a half: we were late
	// For a probe while all is well: Linux sends a lost SYN again after 1 s and after 3 s.
	patience = 5 * time.Second
	// For one in an episode: at a round trip of 1 s, with a fifth of all packets lost, 4 of 5 probes
	// are answered by then.
	maxPatience = 15 * time.Second
	minPause    = 50 * time.Millisecond // between two probes, and before the stream is opened again
)

var errNotServing = errors.New("the head says that it is not serving")

// watch is one run of Watch. The goroutine in run owns it.
type watch struct {
	inForce  InForce
	policy   Policy
	replaced <-chan struct{} // closed when the policy may have been
	head     Head
	tell     func(string)
	told     Word // "": nothing, or that all is well
	episode  episode
	stream   stream
	probe    probe
	running  sync.WaitGroup

	ask    time.Time // when to probe next, if no probe is open
	called time.Time // when the last call was made, of whichever window
	seen   time.Time // when the loop was last awake
	wake   time.Time // when it must be awake next
}

func (w *watch) run(ctx context.Context) error {
	defer w.running.Wait()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()

	w.seen = time.Now()
	w.ask = w.seen
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
		case <-timer.C:
			w.notice(time.Now())
		case <-w.replaced:
			w.replace(w.notice(time.Now()))
		case serving := <-w.stream.serving:
			w.status(w.notice(time.Now()), serving)
		case <-w.stream.ended:
			w.streamEnded(w.notice(time.Now()))
		case r := <-w.probe.answer:
			if now := w.notice(time.Now()); w.probe.open > 0 {
				err = w.take(now, r)
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = w.act(inner, w.seen)
		}
		if err != nil {
			return err
		}
		timer.Reset(time.Until(w.wake))
	}
}

// notice restarts the windows, and drops the open question with its answer, if
// the loop was late: neither says anything about the head.
func (w *watch) notice(now time.Time) time.Time {
	if now.Sub(w.seen) > tooLate {
		w.episode.late(now)
		w.probe.drop()
		w.hurry(now)
	}
	w.seen = now
	return now
}

// replace takes the policy that is in force now.
func (w *watch) replace(now time.Time) {
	before := w.policy
	w.policy, w.replaced = w.inForce()
	w.episode.policy = w.policy
	if w.policy.Silent != before.Silent && w.stream.open() {
		w.stream.cancel()
	}
	w.pace(now)
}

func (w *watch) status(now time.Time, serving bool) {
	w.stream.heard(now)
	if !serving {
		w.episode.take(now, now, Answer{Stuck, errNotServing}, true)
	}
	if _, doubt := w.episode.next(true); doubt {
		w.hurry(now)
	}
}

func (w *watch) streamEnded(now time.Time) {
	w.stream.close(now, w.policy.Interval)
	w.probe.drop()
	w.hurry(now)
}

func (w *watch) take(now time.Time, r reply) error {
	w.probe.took(r.asked)
	w.stream.unexplained = false
	switch r.Verdict {
	case Another:
		return &LostError{Word: WordAnother, Err: r.Err}
	case Disowned:
		return &DisownedError{Err: r.Err}
	case Answered, Refused:
		w.probe.drop() // what the others were asked of is past
	case Silent, Stuck, Unable:
	}
	w.episode.take(r.asked, now, r.Answer, w.stream.open())
	w.pace(now)
	return nil
}

// pace sets when to ask next: a while after the last question, whether that has an answer or not.
func (w *watch) pace(now time.Time) {
	pause := w.policy.Interval
	if window, doubt := w.episode.next(w.stream.open()); doubt {
		pause = window.pause(w.policy.Interval)
	}
	w.ask = w.probe.asked.Add(jitter(max(minPause, pause)))
	if soonest := now.Add(minPause); w.ask.Before(soonest) {
		w.ask = soonest
	}
}

// act does what is due by now, and sets when it must be called again.
func (w *watch) act(ctx context.Context, now time.Time) error {
	w.wake = now.Add(beat)
	window, doubt := w.episode.next(w.stream.open())
	if doubt && w.due(window.end()) && w.sure(window) {
		return w.lose(ctx, now, window)
	}
	w.say(now, window, doubt)

	if !doubt && w.head.Follow != nil && w.stream.idle() && w.due(w.stream.reopen) {
		w.stream.follow(ctx, &w.running, w.head.Follow)
	}
	limit := min(patience, w.policy.Silent/4, w.policy.Stuck/4)
	if doubt {
		limit = max(limit, window.patience())
		w.lastCall(ctx, now, window, limit)
	}
	beside := doubt && window.word != WordGone // refusals come at once: one question at a time
	if w.due(w.ask) && (beside || w.probe.open == 0) {
		w.question(ctx, now, limit)
	}
	return nil
}

// lose declares the loss, unless something has come back that the loop was too busy to look at.
func (w *watch) lose(ctx context.Context, now time.Time, window window) error {
	select {
	case r := <-w.probe.answer:
		if err := w.take(now, r); err != nil {
			return err
		}
		return w.act(ctx, now)
	default:
		return window.over(now, w.episode.err)
	}
}

// lastCall asks the head once more before a window is over; after its end, if the loop was late.
// The loss waits for what comes of it: a refusal as long as that takes, anything else until the
// end.
func (w *watch) lastCall(ctx context.Context, now time.Time, window window, limit time.Duration) {
	if !w.called.Before(window.lastCall()) || !w.due(window.lastCall()) {
		return
	}
	if window.word == WordGone {
		if w.probe.open > 0 {
			return // it may not be refused, and is waited for
		}
	} else {
		limit = min(limit, window.grace())
	}
	w.called = now
	w.question(ctx, now, limit)
}

func (w *watch) question(ctx context.Context, now time.Time, limit time.Duration) {
	w.probe.ask(ctx, &w.running, w.head.Probe, limit)
	w.pace(now)
}

// sure says whether the head was asked as late as its last call, in vain, and nothing is open that
// speaks against the loss: a question not yet refused does if all were, but not if nothing came
// back on the others either.
func (w *watch) sure(window window) bool {
	asked := !w.probe.back.Before(window.lastCall())
	return asked && !w.stream.unexplained && (window.word != WordGone || w.probe.open == 0)
}

// due says whether it is time, and if not has the loop wake when it is.
func (w *watch) due(at time.Time) bool {
	if at.After(w.seen) && at.Before(w.wake) {
		w.wake = at
	}
	return !at.After(w.seen)
}

// hurry has the next question asked now, but none so soon after the last that a
// flapping stream could flood the head.
func (w *watch) hurry(now time.Time) {
	w.ask = now
	if soonest := w.probe.asked.Add(minPause); soonest.After(now) {
		w.ask = soonest
	}
}

func (w *watch) say(now time.Time, window window, doubt bool) {
	switch {
	case !doubt && w.told != "":
		w.told = ""
		w.tell("")
	case doubt && w.told != window.word:
		w.told = window.word
		w.tell(window.doubt(now, w.episode.err))
	}
}

// jitter spreads d by a fifth either way, so that a fleet does not ask at once.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
