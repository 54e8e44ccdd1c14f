package cluster

import (
	"context"
	"errors"
	"time"
)

// errTimeUp is the cause of a context that ended because the time for a wait is up.
var errTimeUp = errors.New("time is up")

// pause waits for t, or returns the reason why the context ended before.
func pause(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
