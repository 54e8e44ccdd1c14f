package gcs

import (
	"context"
	"errors"
	"io"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// Follow keeps a watch open (grpc.health.v1.Health/Watch of the service "") and
// returns when it ends, with why; never nil. It hears of a GCS that dies within
// milliseconds (Broken), and of a host that dies after Head.Silent (Silent). A
// GCS that only hangs it need not notice: CheckAlive does.
//
// It calls serving with the first word of the GCS and then at each change: false
// is its own word for "I hang". No token is needed for it.
func (c *Conn) Follow(ctx context.Context, serving func(bool)) error {
	doing := "cannot watch head " + plain([]byte(c.head.Address))
	if c.wire.end() != nil {
		return c.read(ctx, doing, nil)
	}
	// A deadline of the caller is not told to the GCS, which would end the watch
	// by it a moment before ctx does.
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	watch, err := healthpb.NewHealthClient(c.grpc).Watch(lasting, &healthpb.HealthCheckRequest{})
	if err != nil {
		return c.read(ctx, doing, err)
	}
	for heard, last := false, false; ; heard = true {
		word, err := watch.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return &failure{doing, "it ended the watch", Broken, io.EOF}
		case err != nil && heard && ctx.Err() != nil:
			return givenUp(ctx, doing)
		case err != nil:
			return c.read(ctx, doing, err)
		}
		if now := word.GetStatus() == healthpb.HealthCheckResponse_SERVING; !heard || now != last {
			last = now
			serving(now)
		}
	}
}
