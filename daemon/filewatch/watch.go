package filewatch

import (
	"context"
	"time"
)

// Content is what the watched files held at one moment. Subject.Look reads it, and nothing reads
// the files again: what has settled is what was seen.
type Content[T any] interface {
	// Same says whether nothing has changed.
	Same(T) bool
	// Finished says whether nobody seems to be writing any more, given what was known before.
	Finished(before T) bool
}

// Subject is what is watched.
type Subject[T Content[T]] struct {
	// Paths returns where the files are or will be, as absolute paths. If a path does not exist,
	// the nearest folder above it that does is watched. The last element may be a pattern such as
	// "*.toml": all files of the folder with that ending, except hidden ones. Paths is called
	// before each look.
	Paths func() []string
	Look  func() T
	Known T // what is known at first; a change is one from this
	// Settled takes content that has changed and settled. There is no look until it returns.
	Settled func(T)
	// Now brings callers that cannot wait. Each function is called with the content of a look at
	// once, settled or not. That content is then what is known.
	Now <-chan func(T)
}

// idleInterval is between two looks without a reason.
const idleInterval = 30 * time.Second

// Watch watches until its context ends, and returns its cause. Without an Inotify (nil) it looks
// every 30 s.
//
// A change settles once nothing has happened to the files for 0.2 s, or for 1 s if they do not
// look finished. Events without a change of content delay that by 3 s at most. Content that keeps
// changing does not settle.
func Watch[T Content[T]](ctx context.Context, i *Inotify, s Subject[T]) error {
	look := func() T {
		i.follow(s.Paths())
		return s.Look()
	}
	state := debouncer[T]{known: s.Known}
	timer := time.NewTimer(0)
	defer timer.Stop()
	ticker := time.NewTicker(idleInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-i.events():
			if i.concerns(e.Name) && state.event(time.Now()) {
				timer.Reset(lookInterval)
			}
		case <-i.errors(): // events were lost
			if state.event(time.Now()) {
				timer.Reset(lookInterval)
			}
		case <-ticker.C:
			timer.Reset(0)
		case answer := <-s.Now:
			state = debouncer[T]{known: look()}
			answer(state.known)
		case <-timer.C:
			settled, calm := state.look(time.Now(), look())
			if !calm {
				timer.Reset(lookInterval)
			}
			if settled {
				s.Settled(state.known)
			}
		}
	}
}
