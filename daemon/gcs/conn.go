package gcs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// Head is what to dial: the address of the GCS as host:port, and the token of its cluster.
type Head struct {
	Address string
	Token   Token
	// Silent is how long the head's host may be dead before a connection to it
	// ends: 4 s to 25 s, in whole seconds; 0 = 25 s.
	Silent time.Duration
}

// Conn is one TCP connection to a GCS. Several goroutines may call its methods at once. The caller
// sets a deadline by the context; without one, a call waits as long as the connection lasts.
type Conn struct {
	head   Head
	wire   *wire
	grpc   *grpc.ClientConn
	nodes  gcspb.NodeInfoGcsServiceClient
	kv     gcspb.InternalKVGcsServiceClient
	drain  gcspb.AutoscalerStateServiceClient
	closed atomic.Bool
}

const (
	// maxReply bounds the size of an answer, such as a list of nodes. A node of Ray 2.60.0 took
	// 555 bytes, so this is room for 100,000. gRPC's own bound is 4 MiB.
	maxReply = 64 << 20
	// windowSize is how many bytes of an answer may be on their way. A fixed size also keeps gRPC
	// from measuring the line with pings, which the GCS counts.
	windowSize = 1 << 20
	// noRetry is longer than any connection lives. gRPC has no setting for "do not try again".
	noRetry = 365 * 24 * time.Hour
)

// Dial resolves the name now and makes one TCP connection now; it tries every address. It does not
// find out what listens there: the first call does. Its errors are those of package net
// (syscall.ECONNREFUSED, *net.DNSError …), wrapped with one line of text and a Fault. When ctx is
// cancelled, the error is context.Cause(ctx).
func Dial(ctx context.Context, h Head) (*Conn, error) { return dialer{}.dial(ctx, h) }

func (d dialer) dial(ctx context.Context, h Head) (*Conn, error) {
	doing := "cannot reach head " + printable([]byte(h.Address))
	if err := h.Token.check(); err != nil {
		return nil, &failure{doing, err.Error(), Unauthorized, err}
	}
	conn, err := d.connect(ctx, h.Address)
	var f *failure
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return nil, cancelled(ctx, doing)
	case errors.As(err, &f):
		f.doing = doing
		return nil, f
	}
	c, err := open(h, conn)
	if err != nil {
		_ = conn.Close()
		return nil, &failure{doing, err.Error(), Unknown, err}
	}
	return c, nil
}

// open puts gRPC over conn. It switches off what would connect again, look for a proxy or follow a
// service config.
func open(h Head, conn net.Conn) (*Conn, error) {
	w := &wire{Conn: conn}
	if err := w.setDeadTimeout(h); err != nil {
		return nil, err
	}
	cc, err := grpc.NewClient("passthrough:///gcs",
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return w.handOver() }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithPerRPCCredentials(bearer(h.Token)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReply)),
		grpc.WithInitialWindowSize(windowSize),
		grpc.WithInitialConnWindowSize(windowSize),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: noRetry, Multiplier: 1, MaxDelay: noRetry},
			MinConnectTimeout: noRetry,
		}),
		grpc.WithIdleTimeout(0),
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(),
	)
	if err != nil {
		return nil, err
	}
	cc.Connect()
	return &Conn{
		head: h, wire: w, grpc: cc,
		nodes: gcspb.NewNodeInfoGcsServiceClient(cc),
		kv:    gcspb.NewInternalKVGcsServiceClient(cc),
		drain: gcspb.NewAutoscalerStateServiceClient(cc),
	}, nil
}

// Close ends the connection, and with it every call on it.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	err := c.grpc.Close()
	if werr := c.wire.Close(); werr != nil && !errors.Is(werr, net.ErrClosed) {
		err = errors.Join(err, werr)
	}
	if err != nil {
		return fmt.Errorf("cannot close the connection to head %s: %w", printable([]byte(c.head.Address)), err)
	}
	return nil
}
