package daemon

import (
	"context"
	"errors"
	"time"
)

// errTimeUp is the cause of a context whose time is up, as within makes it.
var errTimeUp = errors.New("time is up")

func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, errTimeUp)
}

// forever is the guard that has nothing to say.
func forever(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// pause waits, or returns the reason why the context ended.
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
