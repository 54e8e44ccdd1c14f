package watchdog

import (
	"context"
	"sync"
	"time"
)

// probe is the question that is open, if one is.
type probe struct {
	asked  time.Time // the last one, open or not
	answer chan Answer
	cancel context.CancelFunc
}

func (p *probe) open() bool { return p.answer != nil }

// ask puts a question in place of the one that may still be open.
func (p *probe) ask(ctx context.Context, running *sync.WaitGroup, question func(context.Context) Answer, patience time.Duration) {
	p.drop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	answer := make(chan Answer, 1)
	p.asked, p.answer, p.cancel = time.Now(), answer, cancel
	running.Go(func() {
		defer cancel()
		answer <- question(ctx)
	})
}

func (p *probe) drop() {
	if p.open() {
		p.cancel()
		p.answer = nil
	}
}

// stream is the stream, followed or not, and open or not.
type stream struct {
	serving chan bool
	ended   chan error // nil: not followed
	opened  time.Time  // zero: not open
	reopen  time.Time  // not to be followed again before this
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
	s.serving, s.ended = serving, ended
	running.Go(func() {
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
