package filewatch

import (
	"context"
	"time"
)

// Content is what the watched files held at one moment. It is read by the subject's
// Look and not touched again, so that what has settled is what was looked at.
type Content[T any] interface {
	// Same reports whether nothing has changed.
	Same(T) bool
	// Finished reports whether it looks as if the writing were over, given
	// what was known before.
	Finished(before T) bool
}

// Subject is what is watched.
type Subject[T Content[T]] struct {
	// Paths are where the files are or will be, absolute; of those that do not
	// exist the nearest folder that does is watched. The last element may be a
	// pattern such as "*.toml": all files of the folder with that ending, but for
	// hidden ones. It is asked before each look.
	Paths func() []string
	Look  func() T
	Known T // what a change is a change of, at first
	// Settled takes content that has changed and settled. No look is taken until
	// it returns.
	Settled func(T)
	// Now takes functions that cannot wait: each is called with a look taken at
	// once, settled or not, which is then what is known.
	Now <-chan func(T)
}

// tick is between two looks that nothing gave a reason for.
const tick = 30 * time.Second

// Watch watches until its context ends, and returns why. Without a kernel that tells
// (nil) it looks at every tick.
//
// A change settles once nothing has happened to the files for 0.2 s, or 1 s if they do
// not look finished. Events without a change of content delay that by 3 s at most;
// content that keeps changing does not settle.
func Watch[T Content[T]](ctx context.Context, k *Kernel, s Subject[T]) error {
	look := func() T {
		k.follow(s.Paths())
		return s.Look()
	}
	state := settling[T]{known: s.Known}
	timer := time.NewTimer(0)
	defer timer.Stop()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e := <-k.events():
			if k.concerns(e.Name) && state.happened(time.Now()) {
				timer.Reset(pace)
			}
		case <-k.errors(): // events were lost
			if state.happened(time.Now()) {
				timer.Reset(pace)
			}
		case <-ticker.C:
			timer.Reset(0)
		case answer := <-s.Now:
			state = settling[T]{known: look()}
			answer(state.known)
		case <-timer.C:
			settled, calm := state.looked(time.Now(), look())
			if !calm {
				timer.Reset(pace)
			}
			if settled {
				s.Settled(state.known)
			}
		}
	}
}
