package filewatch

import "time"

const (
	lookInterval        = 50 * time.Millisecond  // between two looks while a change has not settled
	quietTime           = 200 * time.Millisecond // without an event, and without a change between looks
	unfinishedQuietTime = time.Second            // the same, for content that does not look finished
	maxDelay            = 3 * time.Second        // for how long events alone can delay a change
)

// debouncer decides when a change has settled. It knows no clock and no files: it is told what
// happened and what was seen, each with its time. All is calm while began is zero.
type debouncer[T Content[T]] struct {
	known     T
	began     time.Time // the first sign of a change since all was calm
	lastEvent time.Time // the last event
	seen      T         // by the last look, if that differed from what is known
	since     time.Time // when it was seen first
}

// event notes an event. It says whether all was calm until then; if so, a look is due after
// lookInterval.
func (s *debouncer[T]) event(now time.Time) bool {
	first := s.began.IsZero()
	if first {
		s.began = now
	}
	s.lastEvent = now
	return first
}

// look takes what a look has seen. It says whether a change has settled, which is known from then
// on, and whether all is calm. If not, another look is due after lookInterval.
func (s *debouncer[T]) look(now time.Time, seen T) (settled, calm bool) {
	if seen.Same(s.known) {
		*s = debouncer[T]{known: s.known}
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
	if now.Sub(s.began) < maxDelay {
		still = min(still, now.Sub(s.lastEvent))
	}
	enough := quietTime
	if !seen.Finished(s.known) {
		enough = unfinishedQuietTime
	}
	if still < enough {
		return false, false
	}
	*s = debouncer[T]{known: seen}
	return true, true
}
