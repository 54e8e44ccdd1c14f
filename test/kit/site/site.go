// Package site runs raynoded with real Ray in the foreground, on loopback addresses of this
// machine: no root, no systemd, and the test as the service manager. A [Site] is one cluster, a
// [Member] one pretended host of it, a [Running] its raynoded, a [Driver] somebody's program on
// that host.
//
// A function that waits fails the test after [lab.Patience].
package site

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/test/lab"
)

// Site is where one cluster lives on this machine: a folder, and loopback addresses and a port that
// nobody else has.
type Site struct {
	Dir     string
	Bin     string   // the program ray
	Network string   // what all its addresses begin with, such as 127.1.2.
	Head    string   // the address of the GCS, with its port
	Members int      // how many there are, by which the next one gets its address
	Wrapper []string // a program that becomes raynoded; empty = none
}

// sites counts those of this process.
var sites atomic.Uint32

// New makes a site for a release of Ray. At the end of the test nothing of it is left: the test
// fails if it has to be killed first.
func New(t *testing.T, version string) *Site {
	t.Helper()
	bin := lab.RayBin(t, version)
	dir := lab.Folder(t)
	n, pid := int(sites.Add(1)), os.Getpid()
	network := fmt.Sprintf("127.%d.%d.", 1+pid%250, n)
	s := &Site{Dir: dir, Bin: bin, Network: network}
	s.Head = fmt.Sprintf("%s1:%d", network, freePort(t, 20000+(pid*16+n)%12000))
	t.Cleanup(func() {
		left := s.kill(t)
		require.Empty(t, left, "left at the end of the test")
	})
	return s
}

// freePort returns the first port from n on that nobody listens on.
func freePort(t *testing.T, n int) int {
	t.Helper()
	for ; ; n++ {
		l, err := net.Listen("tcp", ":"+strconv.Itoa(n))
		if err != nil {
			require.Less(t, n, 32000, "no free port")
			continue
		}
		require.NoError(t, l.Close())
		return n
	}
}

func (s *Site) python() string { return filepath.Join(filepath.Dir(s.Bin), "python") }

// ask asks the site's GCS on a connection of its own.
func (s *Site) ask(t *testing.T, question func(context.Context, *gcs.Conn) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := gcs.Dial(ctx, gcs.Head{Address: s.Head})
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, question(ctx, conn))
}

// Alive are the names of the nodes that the GCS lists as alive, in the order of their joining.
func (s *Site) Alive(t *testing.T) []string {
	t.Helper()
	var all []gcs.Node
	s.ask(t, func(ctx context.Context, conn *gcs.Conn) (err error) {
		all, err = conn.Nodes(ctx)
		return err
	})
	var names []string
	for _, n := range all {
		if n.Alive {
			names = append(names, n.Name)
		}
	}
	return names
}

// ClusterID is the cluster that runs on the site now.
func (s *Site) ClusterID(t *testing.T) string {
	t.Helper()
	var id string
	s.ask(t, func(ctx context.Context, conn *gcs.Conn) (err error) {
		id, err = conn.ClusterID(ctx)
		return err
	})
	return id
}
