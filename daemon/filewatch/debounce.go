package filewatch

import "time"

const (
	pace     = 50 * time.Millisecond  // between two looks at what has not settled
	quiet    = 200 * time.Millisecond // without an event, and without a change from look to look
	doubtful = time.Second            // the same, of content that does not look finished
	storm    = 3 * time.Second        // after which events alone delay nothing
)

// settling decides when a change has settled. It knows no clock and no files: it is told what
// happened and what was seen, each with its time. All is calm while began is zero.
type settling[T Content[T]] struct {
	known T
	began time.Time // the first sign of a change since all was calm
	event time.Time // the last event
	seen  T         // by the last look, if it differed from what is known
	since time.Time // when it was seen first
}

// happened notes an event. It reports whether all was calm until then: a look is due after pace.
func (s *settling[T]) happened(now time.Time) bool {
	first := s.began.IsZero()
	if first {
		s.began = now
	}
	s.event = now
	return first
}

// looked takes a look. It reports whether a change has settled, which is known then, and whether
// all is calm; if not, another look is due after pace.
func (s *settling[T]) looked(now time.Time, seen T) (settled, calm bool) {
	if seen.Same(s.known) {
		*s = settling[T]{known: s.known}
		return false, true
	}
	if s.began.IsZero() {
		s.began = now
	}
	if s.since.IsZero() || !seen.Same(s.seen) {
		s.seen, s.since = seen, now
		return false, false
	}
	still := now.Sub(s.since)
	if now.Sub(s.began) < storm {
		still = min(still, now.Sub(s.event))
	}
	enough := quiet
	if !seen.Finished(s.known) {
		enough = doubtful
	}
	if still < enough {
		return false, false
	}
	*s = settling[T]{known: seen}
	return true, true
}
