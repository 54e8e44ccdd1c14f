package watchdog

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	wakeInterval = time.Second             // how often the loop wakes up, to notice its own lateness
	maxSleep     = 2500 * time.Millisecond // longer than this between two wake-ups means that we were late
	// probeTimeout is for a probe while all is well. Linux sends a lost SYN again after 1 s and after
	// 3 s.
	probeTimeout = 5 * time.Second
	// maxProbeTimeout is for a probe in an episode. With a round trip of 1 s, and a fifth of all
	// packets lost, 4 of 5 probes are answered by then.
	maxProbeTimeout = 15 * time.Second
	minPause        = 50 * time.Millisecond // between two probes, and before the stream is opened again
)

var errNotServing = errors.New("the head says that it is not serving")

// watch is one run of Watch. The goroutine in run owns it.
type watch struct {
	current  CurrentPolicy
	policy   Policy
	replaced <-chan struct{} // closed when the policy may have changed
	head     Head
	report   func(string)
	reported Loss // "" = nothing, or that all is well
	episode  episode
	stream   stream
	probes   probes
	running  sync.WaitGroup

	ask        time.Time // when to probe next, if no probe is open
	lastCalled time.Time // when the last call was made, of whichever window
	lastAwake  time.Time // when the loop was last awake
	wake       time.Time // when it must be awake next
}

func (w *watch) run(ctx context.Context) error {
	defer w.running.Wait()
	inner, cancel := context.WithCancel(ctx)
	defer cancel()

	w.lastAwake = time.Now()
	w.ask = w.lastAwake
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
		case <-timer.C:
			w.wakeUp(time.Now())
		case <-w.replaced:
			w.replace(w.wakeUp(time.Now()))
		case serving := <-w.stream.serving:
			w.streamStatus(w.wakeUp(time.Now()), serving)
		case <-w.stream.ended:
			w.streamEnded(w.wakeUp(time.Now()))
		case r := <-w.probes.answer:
			if now := w.wakeUp(time.Now()); w.probes.open > 0 {
				err = w.take(now, r)
			}
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = w.act(inner, w.lastAwake)
		}
		if err != nil {
			return err
		}
		timer.Reset(time.Until(w.wake))
	}
}

// wakeUp notes that the loop is awake. If it was late, it restarts the windows and drops the open
// questions with their answers: neither says anything about the head then.
func (w *watch) wakeUp(now time.Time) time.Time {
	if now.Sub(w.lastAwake) > maxSleep {
		w.episode.restart(now)
		w.probes.drop()
		w.askSoon(now)
	}
	w.lastAwake = now
	return now
}

// replace takes over the policy that counts now.
func (w *watch) replace(now time.Time) {
	before := w.policy
	w.policy, w.replaced = w.current()
	w.episode.policy = w.policy
	if w.policy.Silent != before.Silent && w.stream.open() {
		w.stream.cancel()
	}
	w.schedule(now)
}

func (w *watch) streamStatus(now time.Time, serving bool) {
	w.stream.heard(now)
	if !serving {
		w.episode.add(now, now, Answer{Stuck, errNotServing}, true)
	}
	if _, doubt := w.episode.next(true); doubt {
		w.askSoon(now)
	}
}

func (w *watch) streamEnded(now time.Time) {
	w.stream.close(now, w.policy.Interval)
	w.probes.drop()
	w.askSoon(now)
}

func (w *watch) take(now time.Time, r reply) error {
	w.probes.answered(r.asked)
	w.stream.unexplained = false
	switch r.Verdict {
	case Another:
		return &LostError{Loss: LossAnother, Err: r.Err}
	case Disowned:
		return &DisownedError{Err: r.Err}
	case Answered, Refused:
		w.probes.drop() // the other questions are about a time that has passed
	case Silent, Stuck, Unable:
	}
	w.episode.add(r.asked, now, r.Answer, w.stream.open())
	w.schedule(now)
	return nil
}

// schedule sets when to ask next: a while after the last question, whether it has an answer or
// not.
func (w *watch) schedule(now time.Time) {
	pause := w.policy.Interval
	if window, doubt := w.episode.next(w.stream.open()); doubt {
		pause = window.pause(w.policy.Interval)
	}
	w.ask = w.probes.asked.Add(jitter(max(minPause, pause)))
	if soonest := now.Add(minPause); w.ask.Before(soonest) {
		w.ask = soonest
	}
}

// act does what is due by now, and sets when it must be called again.
func (w *watch) act(ctx context.Context, now time.Time) error {
	w.wake = now.Add(wakeInterval)
	window, doubt := w.episode.next(w.stream.open())
	if doubt && w.due(window.end()) && w.sure(window) {
		return w.declareLoss(ctx, now, window)
	}
	w.reportDoubt(now, window, doubt)

	if !doubt && w.head.Follow != nil && w.stream.mayFollow() && w.due(w.stream.reopen) {
		w.stream.follow(ctx, &w.running, w.head.Follow)
	}
	limit := min(probeTimeout, w.policy.Silent/4, w.policy.Stuck/4)
	if doubt {
		limit = max(limit, window.probeTimeout())
		w.lastCall(ctx, now, window, limit)
	}
	beside := doubt && window.loss != LossGone // refusals come at once, so one question at a time will do
	if w.due(w.ask) && (beside || w.probes.open == 0) {
		w.question(ctx, now, limit)
	}
	return nil
}

// declareLoss ends the watch with the loss, unless an answer has come that the loop was too busy
// to look at.
func (w *watch) declareLoss(ctx context.Context, now time.Time, window window) error {
	select {
	case r := <-w.probes.answer:
		if err := w.take(now, r); err != nil {
			return err
		}
		return w.act(ctx, now)
	default:
		return window.lostError(now, w.episode.err)
	}
}

// lastCall asks the head once more before a window ends, or after its end if the loop was late.
// The loss waits for the outcome: for a refusal as long as that takes, for anything else until the
// window ends.
func (w *watch) lastCall(ctx context.Context, now time.Time, window window, limit time.Duration) {
	if !w.lastCalled.Before(window.lastCall()) || !w.due(window.lastCall()) {
		return
	}
	if window.loss == LossGone {
		if w.probes.open > 0 {
			return // it is waited for, as it may not be refused
		}
	} else {
		limit = min(limit, window.margin())
	}
	w.lastCalled = now
	w.question(ctx, now, limit)
}

func (w *watch) question(ctx context.Context, now time.Time, limit time.Duration) {
	w.probes.ask(ctx, &w.running, w.head.Probe, limit)
	w.schedule(now)
}

// sure says whether the head was asked in vain since its last call, and no open question speaks
// against the loss. If all were refused, one that is not yet refused does. If nothing came back on
// the others, it does not.
func (w *watch) sure(window window) bool {
	asked := !w.probes.lastAnswered.Before(window.lastCall())
	return asked && !w.stream.unexplained && (window.loss != LossGone || w.probes.open == 0)
}

// due says whether a time has come. If not, the loop will wake up at that time.
func (w *watch) due(at time.Time) bool {
	if at.After(w.lastAwake) && at.Before(w.wake) {
		w.wake = at
	}
	return !at.After(w.lastAwake)
}

// askSoon has the next question asked now, but not so soon after the last one that a flapping
// stream could flood the head.
func (w *watch) askSoon(now time.Time) {
	w.ask = now
	if soonest := w.probes.asked.Add(minPause); soonest.After(now) {
		w.ask = soonest
	}
}

func (w *watch) reportDoubt(now time.Time, window window, doubt bool) {
	switch {
	case !doubt && w.reported != "":
		w.reported = ""
		w.report("")
	case doubt && w.reported != window.loss:
		w.reported = window.loss
		w.report(window.text(now, w.episode.err))
	}
}

// jitter spreads d by a fifth either way, so that a fleet does not ask at once.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
