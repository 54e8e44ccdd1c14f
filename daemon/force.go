package daemon

import (
	"context"
	"time"

	"github.com/raynoded/raynoded/daemon/role"
)

// inForce is the role that counts, decided. It is never changed, only replaced: by the loop alone.
type inForce struct {
	*role.Role
	replaced chan struct{} // closed when another role counts
}

func (f *inForce) isWorker() bool { return f.Kind == role.Worker }

// last returns once another role is in force, or the reason why the context ended.
func (f *inForce) last(ctx context.Context) error {
	select {
	case <-f.replaced:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pause waits, but no longer than this role is in force, or returns the reason why the context
// ended.
func (f *inForce) pause(ctx context.Context, t time.Duration) error {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-f.replaced:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
