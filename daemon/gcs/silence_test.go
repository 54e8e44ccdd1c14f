package gcs

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A host that is cut off after the connection was made is Silent, not Stuck: its
// kernel no longer confirms what we send. Played in a network namespace, whose
// loopback is then taken down.
func TestConn_CutOff(t *testing.T) {
	t.Parallel()
	n := newNetwork(t)
	c, address := n.connect(t, &fakeGCS{id: []byte{1}})
	_, err := c.ClusterID(within(t, later))
	require.NoError(t, err)

	n.loopback(t, false)
	_, err = c.ClusterID(within(t, unheard))
	require.EqualError(t, err, "cannot ask head "+address+" for its cluster id: no answer from the host")
	require.Equal(t, Silent, FaultOf(err))

	n.loopback(t, true)
	_, err = c.ClusterID(within(t, later))
	require.NoError(t, err)
}

// network is a network namespace of its own, and the thread that lives in it;
// both go when the test ends.
type network struct{ work chan func() }

func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{work: make(chan func())}
	ready, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		for f := range n.work {
			f()
		}
	}()
	t.Cleanup(func() { close(n.work); <-done })
	if err := <-ready; errors.Is(err, os.ErrPermission) {
		t.Skip("needs root for a network namespace: ", err)
	} else {
		require.NoError(t, err)
	}
	n.loopback(t, true)
	return n
}

// do runs f on the thread.
func (n *network) do(f func()) {
	done := make(chan struct{})
	n.work <- func() { defer close(done); f() }
	<-done
}

func (n *network) loopback(t *testing.T, up bool) {
	t.Helper()
	var err error
	n.do(func() { err = setLoopback(up) })
	require.NoError(t, err)
}

// setLoopback takes the loopback of the thread's network namespace up or down.
func setLoopback(up bool) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(s) }()
	req, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	req.SetUint16(0)
	if up {
		req.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	}
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, req)
}

// connect is Dial to a fake GCS inside: sockets belong to the namespace of the
// thread that makes them.
func (n *network) connect(t *testing.T, g *fakeGCS) (*Conn, string) {
	t.Helper()
	var l net.Listener
	var conn net.Conn
	var err error
	n.do(func() {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
			conn, err = dialTCP(t.Context(), netip.MustParseAddrPort(l.Addr().String()))
		}
	})
	require.NoError(t, err)
	serveOn(t, g, l)
	c, err := open(Head{Address: g.address}, conn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c, g.address
}
