// Package pause waits for a time, and says why it was cut short.
package pause

import (
	"context"
	"errors"
	"time"
)

// ErrTimeUp is the cause of a context that Within has limited, and whose time is up.
var ErrTimeUp = errors.New("time is up")

// Within returns a context that ends with ErrTimeUp after the limit.
func Within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, ErrTimeUp)
}

// For waits for t, or returns the reason why the context ended before.
func For(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
