package watchdog

import (
	"context"
	"sync"
	"time"
)

// probe is the questions that are open, each on a connection of its own. On a bad line an answer
// may take several times what it takes on a good one: the next question is asked beside one that is
// open, not in its place.
type probe struct {
	asked  time.Time // the last one, open or not
	back   time.Time // when the last one that is no longer open, and was not dropped, was asked
	open   int
	answer chan reply // to any that is open
	cancel context.CancelFunc
	ctx    context.Context
}

// reply is the answer to the question asked at that time.
type reply struct {
	asked time.Time
	Answer
}

func (p *probe) ask(
	ctx context.Context, running *sync.WaitGroup, question func(context.Context) Answer, patience time.Duration,
) {
	if p.open == 0 {
		p.answer = make(chan reply)
		p.ctx, p.cancel = context.WithCancel(ctx)
	}
	p.open++
	p.asked = time.Now()
	all, answer, asked := p.ctx, p.answer, p.asked
	running.Go(func() {
		ctx, cancel := context.WithTimeout(all, patience)
		defer cancel()
		a := question(ctx)
		select {
		case answer <- reply{asked, a}:
		case <-all.Done():
		}
	})
}

// took notes that the question asked at that time has its answer.
func (p *probe) took(asked time.Time) {
	if asked.After(p.back) {
		p.back = asked
	}
	if p.open--; p.open == 0 {
		p.drop()
	}
}

// drop gives up all questions.
func (p *probe) drop() {
	if p.answer != nil {
		p.cancel()
		p.open, p.answer = 0, nil
	}
}

// stream is the stream, followed or not, and open or not.
type stream struct {
	serving chan bool
	ended   chan error // nil: not followed
	cancel  context.CancelFunc
	opened  time.Time // zero: not open
	reopen  time.Time // not to be followed again before this
	pause   time.Duration

	// unexplained: the stream has ended, and no probe has come back since that
	// would say why. Until then nothing is decided.
	unexplained bool
}

func (s *stream) open() bool { return !s.opened.IsZero() }

// idle says whether the stream may be followed (again).
func (s *stream) idle() bool { return s.ended == nil && !s.unexplained }

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

// close notes the end of the stream. The pause before the next grows while the
// streams are short, so that a flapping one costs no more than the probes do.
func (s *stream) close(now time.Time, interval time.Duration) {
	if s.open() && now.Sub(s.opened) >= interval {
		s.pause = 0
	}
	s.pause = max(minPause, min(interval, 2*s.pause))
	*s = stream{pause: s.pause, reopen: now.Add(jitter(s.pause)), unexplained: true}
}
