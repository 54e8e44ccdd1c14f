package gcs

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// following runs Follow and gives the words it hears and how it ends.
func following(ctx context.Context, c *Conn) (words chan bool, end chan error) {
	words, end = make(chan bool, 10), make(chan error, 1)
	go func() { end <- c.Follow(ctx, func(now bool) { words <- now }) }()
	return words, end
}

func TestConn_Follow(t *testing.T) {
	g := serve(t, &fakeGCS{})
	words, end := following(t.Context(), connect(t, Head{Address: g.address}))
	require.True(t, <-words)
	g.health.SetServingStatus("", healthpb.HealthCheckResponse_NOT_SERVING)
	require.False(t, <-words)
	g.health.SetServingStatus("", healthpb.HealthCheckResponse_SERVICE_UNKNOWN)
	g.health.SetServingStatus("", healthpb.HealthCheckResponse_SERVING)
	require.True(t, <-words)
	g.server.Stop()
	err := <-end
	require.Equal(t, Broken, FaultOf(err), "%v", err)
	// The second with a ping unread.
	require.Regexp(
		t, "^cannot watch head "+g.address+": connection (closed|reset by peer)$", err,
	)
	require.Empty(t, words)
}

func TestConn_Follow_Cancelled(t *testing.T) {
	g := serve(t, &fakeGCS{})
	why := errors.New("asked to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	words, end := following(ctx, connect(t, Head{Address: g.address}))
	require.True(t, <-words)
	cancel(why)
	require.ErrorIs(t, <-end, why)
}

func TestConn_Follow_Deadline(t *testing.T) {
	t.Parallel()
	t.Run("AfterAWord", func(t *testing.T) {
		g := serve(t, &fakeGCS{})
		words, end := following(within(t, unheard), connect(t, Head{Address: g.address}))
		require.True(t, <-words)
		err := <-end
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, Unknown, FaultOf(err))
	})
	t.Run("WithoutAWord", func(t *testing.T) {
		_, end := following(within(t, soon), connect(t, Head{Address: raw(t, func(*net.TCPConn) {})}))
		require.Equal(t, Stuck, FaultOf(<-end))
	})
}

// twice says its first word two times, as Ray's does, and then ends the watch.
type twice struct {
	healthpb.UnimplementedHealthServer
}

func (twice) Watch(_ *healthpb.HealthCheckRequest, s grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	word := &healthpb.HealthCheckResponse{Status: healthpb.HealthCheckResponse_NOT_SERVING}
	return errors.Join(s.Send(word), s.Send(word))
}

func TestConn_Follow_EndedByTheGCS(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, twice{})
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() { server.Stop(); require.NoError(t, <-done) })

	words, end := following(t.Context(), connect(t, Head{Address: l.Addr().String()}))
	err := <-end
	require.EqualError(t, err, "cannot watch head "+l.Addr().String()+": it ended the watch")
	require.Equal(t, Broken, FaultOf(err))
	require.False(t, <-words)
	require.Empty(t, words)
}

func TestConn_Follow_NoHealthService(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	server := grpc.NewServer()
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() { server.Stop(); require.NoError(t, <-done) })
	err := connect(t, Head{Address: l.Addr().String()}).Follow(within(t, later), func(bool) {})
	require.Equal(t, NotRay, FaultOf(err), "%v", err)
}
