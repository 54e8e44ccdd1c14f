package watchdog

import (
	"context"
	"sync"
	"time"
)

// probes are the questions that are open, each on a connection of its own. On a bad line an answer
// may take several times as long as on a good one. So the next question is asked beside an open
// one, not in its place.
type probes struct {
	asked        time.Time // when the last question was asked, open or not
	lastAnswered time.Time // when the last question was asked that has its answer
	open         int
	answer       chan reply // to any open question
	cancel       context.CancelFunc
	ctx          context.Context
}

// reply is the answer to the question asked at that time.
type reply struct {
	asked time.Time
	Answer
}

func (p *probes) ask(
	ctx context.Context, running *sync.WaitGroup, question func(context.Context) Answer, timeout time.Duration,
) {
	if p.open == 0 {
		p.answer = make(chan reply)
		p.ctx, p.cancel = context.WithCancel(ctx)
	}
	p.open++
	p.asked = time.Now()
	all, answer, asked := p.ctx, p.answer, p.asked
	running.Go(func() {
		ctx, cancel := context.WithTimeout(all, timeout)
		defer cancel()
		a := question(ctx)
		select {
		case answer <- reply{asked, a}:
		case <-all.Done():
		}
	})
}

// answered notes that the question asked at that time has its answer.
func (p *probes) answered(asked time.Time) {
	if asked.After(p.lastAnswered) {
		p.lastAnswered = asked
	}
	if p.open--; p.open == 0 {
		p.drop()
	}
}

// drop gives up all open questions.
func (p *probes) drop() {
	if p.answer != nil {
		p.cancel()
		p.open, p.answer = 0, nil
	}
}

// stream is the stream that the head holds open, whether it is followed or not.
type stream struct {
	serving chan bool
	ended   chan error // nil: not followed
	cancel  context.CancelFunc
	opened  time.Time // zero: not open
	reopen  time.Time // not to be followed again before this
	pause   time.Duration

	// unexplained: the stream has ended, and no probe that would say why has come back since. Nothing
	// is decided until one has.
	unexplained bool
}

func (s *stream) open() bool { return !s.opened.IsZero() }

// mayFollow says whether the stream may be followed, for the first time or again.
func (s *stream) mayFollow() bool { return s.ended == nil && !s.unexplained }

func (s *stream) follow(ctx context.Context, running *sync.WaitGroup, follow func(context.Context, func(bool)) error) {
	serving, ended := make(chan bool), make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	s.serving, s.ended, s.cancel = serving, ended, cancel
	running.Go(func() {
		defer cancel()
		ended <- follow(ctx, func(ok bool) {
			select {
			case serving <- ok:
			case <-ctx.Done():
			}
		})
	})
}

func (s *stream) heard(now time.Time) {
	if !s.open() {
		s.opened = now
	}
}

// close notes the end of the stream. The pause before the next one grows while streams are short,
// so that a flapping stream costs no more than the probes do.
func (s *stream) close(now time.Time, interval time.Duration) {
	if s.open() && now.Sub(s.opened) >= interval {
		s.pause = 0
	}
	s.pause = max(minPause, min(interval, 2*s.pause))
	*s = stream{pause: s.pause, reopen: now.Add(jitter(s.pause)), unexplained: true}
}
