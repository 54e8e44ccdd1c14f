package gcs

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// fakeGCS answers as the real one does, with what its fields say.
type fakeGCS struct {
	gcspb.UnimplementedNodeInfoGcsServiceServer
	gcspb.UnimplementedInternalKVGcsServiceServer
	gcspb.UnimplementedAutoscalerStateServiceServer

	id     []byte
	alive  *gcspb.CheckAliveReply
	nodes  *gcspb.GetAllNodeInfoReply
	kv     *gcspb.InternalKVGetReply
	leave  *gcspb.DrainNodeReply
	err    error         // instead of any answer
	hang   chan struct{} // not nil: no answer until closed
	secret string        // not "": token mode
	health *health.Server

	entered chan struct{} // one for each call that hangs
	address string
	server  *grpc.Server

	mu    sync.Mutex
	seen  []string // authorization of each call, in order
	asked *gcspb.CheckAliveRequest
	key   *gcspb.InternalKVGetRequest
	drain *gcspb.DrainNodeRequest
}

func (g *fakeGCS) enter(ctx context.Context) error {
	md, _ := metadata.FromIncomingContext(ctx)
	g.mu.Lock()
	g.seen = append(g.seen, md.Get("authorization")...)
	g.mu.Unlock()
	if g.secret != "" && (len(md["authorization"]) != 1 || md["authorization"][0] != "Bearer "+g.secret) {
		return status.Error(codes.Unauthenticated, "InvalidAuthToken: Authentication token is missing or incorrect")
	}
	if g.hang != nil {
		g.entered <- struct{}{}
		<-g.hang
	}
	return g.err
}

func (g *fakeGCS) GetClusterId(ctx context.Context, _ *gcspb.GetClusterIdRequest) (*gcspb.GetClusterIdReply, error) {
	return &gcspb.GetClusterIdReply{Status: &gcspb.GcsStatus{}, ClusterId: g.id}, g.enter(ctx)
}

func (g *fakeGCS) CheckAlive(ctx context.Context, q *gcspb.CheckAliveRequest) (*gcspb.CheckAliveReply, error) {
	g.asked = q
	return g.alive, g.enter(ctx)
}

func (g *fakeGCS) GetAllNodeInfo(
	ctx context.Context,
	_ *gcspb.GetAllNodeInfoRequest,
) (*gcspb.GetAllNodeInfoReply, error) {
	return g.nodes, g.enter(ctx)
}

func (g *fakeGCS) InternalKVGet(ctx context.Context, q *gcspb.InternalKVGetRequest) (*gcspb.InternalKVGetReply, error) {
	g.key = q
	return g.kv, g.enter(ctx)
}

func (g *fakeGCS) DrainNode(ctx context.Context, q *gcspb.DrainNodeRequest) (*gcspb.DrainNodeReply, error) {
	g.drain = q
	return g.leave, g.enter(ctx)
}

// serve starts g on a port of its own until the test ends.
func serve(tb testing.TB, g *fakeGCS) *fakeGCS {
	tb.Helper()
	serveOn(tb, g, listen(tb, "127.0.0.1:0"))
	return g
}

func serveOn(tb testing.TB, g *fakeGCS, l net.Listener) {
	tb.Helper()
	g.address, g.health, g.entered = l.Addr().String(), health.NewServer(), make(chan struct{}, 10)
	g.server = grpc.NewServer()
	gcspb.RegisterNodeInfoGcsServiceServer(g.server, g)
	gcspb.RegisterInternalKVGcsServiceServer(g.server, g)
	gcspb.RegisterAutoscalerStateServiceServer(g.server, g)
	healthpb.RegisterHealthServer(g.server, g.health)
	done := make(chan error, 1)
	go func() { done <- g.server.Serve(l) }()
	tb.Cleanup(func() {
		if g.hang != nil {
			close(g.hang)
		}
		g.server.Stop()
		require.NoError(tb, <-done)
	})
}

func listen(tb testing.TB, address string) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

// raw is a server that does with each connection what talk says, and then keeps
// it open until the test ends.
func raw(t *testing.T, talk func(*net.TCPConn)) (address string) {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	var conns []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, conn)
			talk(conn.(*net.TCPConn))
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, conn := range conns {
			_ = conn.Close()
		}
	})
	return l.Addr().String()
}

func connect(tb testing.TB, h Head) *Conn {
	tb.Helper()
	c, err := Dial(tb.Context(), h)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, c.Close()) })
	return c
}

// within gives a context with a deadline: soon or unheard where the deadline is
// the event that the test waits for, later where it is not.
func within(tb testing.TB, d time.Duration) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), d)
	tb.Cleanup(cancel)
	return ctx
}

const (
	soon    = 500 * time.Millisecond
	unheard = 3 * time.Second // the kernel counts its first repetition after 0.2 to 0.45 s
	later   = 30 * time.Second
)
