package gcs

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// What answers in place of a GCS, and how it is read.
func TestConn_OtherServers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		talk  func(*net.TCPConn)
		wait  time.Duration
		text  string
		fault Fault
	}{
		{"SaysNothing", func(*net.TCPConn) {}, soon, "connected, but no answer", Stuck},
		{
			"OldHTTP", func(c *net.TCPConn) {
				say(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
				_ = c.CloseWrite()
			}, later,
			`not a Ray head: it said "HTTP/1.1 400 Bad Request"`, NotRay,
		},
		{
			"OldHTTPKeptOpen", func(c *net.TCPConn) { say(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, later,
			`not a Ray head: it said "HTTP/1.1 400 Bad Request"`, NotRay,
		},
		{"Banner", func(c *net.TCPConn) { say(c, "SSH-2.0\x1b\n") }, unheard, `not a Ray head: it said "SSH-2.0\x1b\n"`,
			NotRay},
		{"ShortWord", func(c *net.TCPConn) { say(c, "hi") }, unheard, `not a Ray head: it said "hi"`, NotRay},
		{
			"Echo", func(c *net.TCPConn) { go func() { _, _ = io.Copy(c, c) }() }, later,
			`not a Ray head: it said "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"`, NotRay,
		},
		{"ClosesAtOnce", func(c *net.TCPConn) { _ = c.Close() }, later, "not a Ray head: it closed the connection " +
			"without a word", NotRay},
		{
			"ResetsAtOnce", func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }, later,
			"not a Ray head: it closed the connection without a word", NotRay,
		},
		{"GreetsAndCloses", func(c *net.TCPConn) { say(c, settings); _ = c.CloseWrite() }, later, "connection " +
			"closed", Broken},
		{"GreetsAndHangs", func(c *net.TCPConn) { say(c, settings) }, soon, "connected, but no answer", Stuck},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := raw(t, tt.talk)
			c, err := Dial(t.Context(), Head{Address: address})
			if err != nil { // a reset may be there before connect returns
				require.EqualError(t, err, "cannot reach head "+address+": "+tt.text)
				require.Equal(t, tt.fault, FaultOf(err))
				return
			}
			_, err = c.ClusterID(within(t, tt.wait))
			require.EqualError(t, err, "cannot ask head "+address+" for its cluster id: "+tt.text)
			require.Equal(t, tt.fault, FaultOf(err))
			require.NoError(t, c.Close())
		})
	}
}

// settings is an empty SETTINGS frame, the greeting of an HTTP/2 server.
const settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

func say(c net.Conn, text string) { _, _ = io.WriteString(c, text) }

func TestConn_PlainHTTP2(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	server := &http.Server{Handler: http.NotFoundHandler(), Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })

	_, err := connect(t, Head{Address: l.Addr().String()}).ClusterID(within(t, later))
	require.Equal(t, NotRay, FaultOf(err), "%v", err)
	require.ErrorContains(t, err, "not a Ray head: ")
}

// How errors of a GCS are read.
func TestConn_Statuses(t *testing.T) {
	for _, tt := range []struct {
		name  string
		err   error
		text  string
		fault Fault
	}{
		{
			"InvalidAuthToken", status.Error(codes.Unauthenticated, "InvalidAuthToken: missing"),
			"token missing or wrong (InvalidAuthToken: missing)", Unauthorized,
		},
		{"NoSuchMethod", status.Error(codes.Unimplemented, "unknown service"), "not a Ray head: unknown service", NotRay},
		{"Aborted", status.Error(codes.Aborted, "two\nlines\x07"), "Aborted: two lines\ufffd", Rejected},
		{"TooLate", status.Error(codes.DeadlineExceeded, "Deadline Exceeded"), "connected, but no answer", Stuck},
		{"Leaving", status.Error(codes.Unavailable, "going away"), "going away", Broken},
		{"Long", status.Error(codes.Aborted, strings.Repeat("é", 1000)), "Aborted: " +
			"" + strings.Repeat("é", 300) + "…", Rejected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := serve(t, &fakeGCS{err: tt.err})
			_, err := connect(t, Head{Address: g.address}).ClusterID(within(t, later))
			require.EqualError(t, err, "cannot ask head "+g.address+" for its cluster id: "+tt.text)
			require.Equal(t, tt.fault, FaultOf(err))
		})
	}
}

func TestConn_StatusInsideTheAnswer(t *testing.T) {
	g := serve(
		t,
		&fakeGCS{alive: &gcspb.CheckAliveReply{Status: &gcspb.GcsStatus{Code: 5, Message: []byte("disk\nfull")}}},
	)
	_, err := connect(t, Head{Address: g.address}).CheckAlive(within(t, later))
	require.EqualError(
		t, err, "cannot ask head "+g.address+" whether it is alive: the GCS answered with status 5: disk full",
	)
	require.Equal(t, Rejected, FaultOf(err))
}

func TestConn_Stuck(t *testing.T) {
	t.Parallel()
	g := serve(t, &fakeGCS{hang: make(chan struct{})})
	_, err := connect(t, Head{Address: g.address}).ClusterID(within(t, soon))
	require.EqualError(t, err, "cannot ask head "+g.address+" for its cluster id: connected, but no answer")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, Stuck, FaultOf(err))
}

func TestConn_CancelledByTheCaller(t *testing.T) {
	g := serve(t, &fakeGCS{hang: make(chan struct{})})
	why := errors.New("asked to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() { <-g.entered; cancel(why) }()
	_, err := connect(t, Head{Address: g.address}).ClusterID(ctx)
	require.EqualError(t, err, "cannot ask head "+g.address+" for its cluster id: asked to stop")
	require.ErrorIs(t, err, why)
	require.Equal(t, Unknown, FaultOf(err))
}

// A Conn that broke stays broken, though the server would take another one.
func TestConn_BreaksOnce(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*fakeGCS)
	}{
		{"Killed", func(g *fakeGCS) { g.server.Stop() }},
		{"Leaves", func(g *fakeGCS) { g.server.GracefulStop() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := serve(t, &fakeGCS{id: []byte{1}})
			c := connect(t, Head{Address: g.address})
			_, err := c.ClusterID(within(t, later))
			require.NoError(t, err)
			tt.end(g)

			second := listen(t, g.address)
			for range 3 {
				_, err = c.ClusterID(within(t, later))
				require.Equal(t, Broken, FaultOf(err), "%v", err)
			}
			require.NoError(t, second.(*net.TCPListener).SetDeadline(time.Now()))
			_, err = second.Accept()
			require.ErrorContains(t, err, "timeout")
		})
	}
}

func TestConn_BreaksDuringACall(t *testing.T) {
	g := serve(t, &fakeGCS{hang: make(chan struct{})})
	c := connect(t, Head{Address: g.address})
	go func() { <-g.entered; _ = c.wire.Conn.(*net.TCPConn).CloseRead() }()
	_, err := c.ClusterID(within(t, later))
	require.EqualError(t, err, "cannot ask head "+g.address+" for its cluster id: connection closed")
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, Broken, FaultOf(err))
}

// How the end of a connection that stood is read.
func TestConn_Ends(t *testing.T) {
	for _, tt := range []struct {
		end   error
		text  string
		fault Fault
	}{
		{syscall.ECONNRESET, "connection reset by peer", Broken},
		{syscall.EPIPE, "broken pipe", Broken},
		{syscall.ETIMEDOUT, "no answer from the host", Silent},
		{syscall.EHOSTUNREACH, "no route to host", Silent},
	} {
		t.Run(tt.text, func(t *testing.T) {
			g := serve(t, &fakeGCS{id: []byte{1}})
			c := connect(t, Head{Address: g.address})
			_, err := c.ClusterID(within(t, later))
			require.NoError(t, err)
			c.wire.record(nil, &net.OpError{Op: "read", Err: tt.end})
			_, err = c.ClusterID(within(t, later))
			require.EqualError(t, err, "cannot ask head "+g.address+" for its cluster id: "+tt.text)
			require.ErrorIs(t, err, tt.end)
			require.Equal(t, tt.fault, FaultOf(err))
		})
	}
}

func TestConn_Closed(t *testing.T) {
	g := serve(t, &fakeGCS{})
	c, err := Dial(t.Context(), Head{Address: g.address})
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	_, err = c.ClusterID(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
	require.Equal(t, Unknown, FaultOf(err))
	require.ErrorIs(t, c.Follow(t.Context(), nil), net.ErrClosed)
}

func TestConn_CloseEndsCalls(t *testing.T) {
	g := serve(t, &fakeGCS{hang: make(chan struct{})})
	c := connect(t, Head{Address: g.address})
	const calls = 8
	errs := make(chan error, calls)
	for range calls {
		go func() {
			_, err := c.ClusterID(t.Context())
			errs <- err
		}()
	}
	words, end := following(t.Context(), c)
	require.True(t, <-words)
	for range calls {
		<-g.entered
	}
	require.NoError(t, c.Close())
	for range calls {
		require.ErrorIs(t, <-errs, net.ErrClosed)
	}
	require.ErrorIs(t, <-end, net.ErrClosed)
}

func TestConn_LeavesNothing(t *testing.T) {
	g := serve(t, &fakeGCS{id: []byte{1}})
	before := runtime.NumGoroutine()
	for range 20 {
		c, err := Dial(t.Context(), Head{Address: g.address})
		require.NoError(t, err)
		_, err = c.ClusterID(within(t, later))
		require.NoError(t, err)
		require.NoError(t, c.Close())
		_, err = Dial(t.Context(), Head{Address: "127.0.0.1:1"})
		require.Error(t, err)
	}
	for ctx := within(t, later); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		require.NoError(t, ctx.Err(), "goroutines left behind")
	}
}
