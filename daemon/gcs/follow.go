package gcs

import (
	"context"
	"errors"
	"io"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Follow keeps a watch open (grpc.health.v1.Health/Watch of the service "") and returns why it
// ended, never nil. It learns within milliseconds that a GCS has died (Broken), and after
// Head.Silent that a host has died (Silent). It may not notice a GCS that only hangs; CheckAlive
// does.
//
// It calls serving with the first status that the GCS sends, and then at each change. false means
// that the GCS itself says that it hangs. The call needs no token.
func (c *Conn) Follow(ctx context.Context, serving func(bool)) error {
	doing := "cannot watch head " + printable([]byte(c.head.Address))
	if c.wire.end() != nil {
		return c.readError(ctx, doing, nil)
	}
	// The GCS is not told of the caller's deadline. It would end the watch at the deadline, a moment
	// before ctx does.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	watch, err := healthpb.NewHealthClient(c.grpc).Watch(lasting, &healthpb.HealthCheckRequest{})
	if err != nil {
		return c.readError(ctx, doing, err)
	}
	for heard, last := false, false; ; heard = true {
		word, err := watch.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return &failure{doing, "it ended the watch", Broken, io.EOF}
		case err != nil && heard && ctx.Err() != nil:
			return cancelled(ctx, doing)
		case err != nil:
			return c.readError(ctx, doing, err)
		}
		if now := word.GetStatus() == healthpb.HealthCheckResponse_SERVING; !heard || now != last {
			last = now
			serving(now)
		}
	}
}
