//go:build ray

package test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/test/lab"
)

// comes is how long a test waits for what must come, such as a Ray that starts on a machine with
// much to do.
const comes = 90 * time.Second

// site is where one cluster lives on this machine: a folder, and loopback addresses and a port that
// nobody else has.
type site struct {
	dir     string
	bin     string // of Ray
	network string // 127.1.2.
	head    string // the address of the GCS
	members int
	wrapper []string // a program that becomes raynoded; empty = none
}

// sites counts those of this process.
var sites atomic.Uint32

// newSite makes a site for a release of Ray. At the end of the test nothing of it is left: the test
// fails if it has to be killed first.
func newSite(t *testing.T, version string) *site {
	t.Helper()
	bin := lab.RayBin(t, version)
	dir := lab.Folder(t)
	n, pid := int(sites.Add(1)), os.Getpid()
	network := fmt.Sprintf("127.%d.%d.", 1+pid%250, n)
	s := &site{dir: dir, bin: bin, network: network}
	s.head = fmt.Sprintf("%s1:%d", network, freePort(t, 20000+(pid*16+n)%12000))
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

// The roles of most tests. More keys are laid over them as drop-ins.
const (
	headRole = `role = "head"
` + anyRole + `
extra_args = ["--include-dashboard=false"]
`
	workerRole = `role = "worker"
` + anyRole
	anyRole = `
[cluster]
head = "$HEAD"
name = "lab"
join_timeout = "2m"
[node]
name = "$NAME"
ip = "$IP"
[auth]
mode = "none"
[ray]
bin = "$BIN"
num_cpus = 2
num_gpus = 0
object_store_memory = "100MB"
start_timeout = "2m"
dashboard_host = "$IP"
`
)

// quickStop is for nodes whose end is not what a test is about.
const quickStop = `stop.grace = "1s"`

// member is one pretended host: a role file, an address and folders of its own.
type member struct {
	*site
	name string
	ip   string
	env  []string
}

// member makes a member of a role file, with more files laid over it. The head is the first one of
// a site.
func (s *site) member(t *testing.T, name, role string, more ...string) *member {
	t.Helper()
	s.members++
	m := &member{site: s, name: name, ip: s.network + strconv.Itoa(s.members)}
	m.env = []string{
		"STATE_DIRECTORY=" + m.path(), "RUNTIME_DIRECTORY=" + m.path("run"), "HOME=" + m.path("home"),
		"PATH=/usr/local/bin:/usr/bin:/bin", "RAY_USAGE_STATS_ENABLED=0",
		"GORACE=atexit_sleep_ms=0", // or each raynoded with the race detector ends a second later than it would
	}
	require.NoError(t, os.MkdirAll(m.path("home"), 0o755))
	m.write(t, m.role(), role)
	for i, text := range more {
		m.write(t, fmt.Sprintf("%s.d/%d.toml", m.role(), i), text)
	}
	return m
}

func (m *member) role() string { return filepath.Join(m.dir, m.name+".toml") }

func (m *member) path(parts ...string) string {
	return filepath.Join(append([]string{m.dir, m.name}, parts...)...)
}

func (m *member) write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(m.fill(text)), 0o600))
}

// fill puts in what only the test knows.
func (m *member) fill(text string) string {
	return strings.NewReplacer("$HEAD", m.head, "$NAME", m.name, "$IP", m.ip, "$BIN", m.bin, "$DIR", m.dir,
		"$PYTHON", m.python()).Replace(text)
}

func (s *site) python() string { return filepath.Join(filepath.Dir(s.bin), "python") }

// ask asks the site's GCS on a connection of its own.
func (s *site) ask(t *testing.T, question func(context.Context, *gcs.Conn) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := gcs.Dial(ctx, gcs.Head{Address: s.head})
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, question(ctx, conn))
}

// alive are the names of the nodes that the GCS lists as alive, in the order of their joining.
func (s *site) alive(t *testing.T) []string {
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
