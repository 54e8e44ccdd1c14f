//go:build ray

package daemon

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
	"github.com/raynoded/raynoded/test/lab"
)

// watchers is how many watch one head from one process.
const watchers = 200

// fleetRole is the variable that makes the test the process with the watchers, of the worker whose
// role file it names.
const fleetRole = "FLEET_TEST_ROLE"

// sighting is what one watcher has to say, as a line of JSON.
type sighting struct {
	Watcher int
	At      time.Time
	Doubt   string        // "" without an End: the head answers again
	End     string        // why the watch ended
	Loss    watchdog.Loss // in which way its head was lost; "": it was not
	Over    bool          // the last line, of the process
	CPU     time.Duration // that it has used
}

// watchAll is the process with the watchers. It ends when all have ended, or with its stdin.
func watchAll(ctx context.Context, path string) error {
	r, err := role.Load(path)
	if err != nil {
		return err
	}
	member, err := joined(ctx, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	said := make(chan sighting)
	var all sync.WaitGroup
	for i := range watchers {
		l := lifeOf(r)
		l.member, l.joined = member, true
		all.Go(func() { l.sentinel(ctx, i, said) })
	}
	go func() {
		all.Wait()
		close(said)
	}()
	out := json.NewEncoder(os.Stdout)
	for s := range said {
		if err := out.Encode(s); err != nil {
			return err
		}
	}
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		return err
	}
	return out.Encode(sighting{Over: true, CPU: time.Duration(used.Utime.Nano() + used.Stime.Nano())})
}

// joined is the member of a worker in the cluster, as far as its watch needs it. Its node is the
// head's: one that the GCS holds alive.
func joined(ctx context.Context, r *role.Role) (*cluster.Member, error) {
	silent := r.Watchdog.Silent.Duration
	m := &cluster.Member{
		Head:   gcs.Head{Address: r.Cluster.Head.String()},
		Silent: func() time.Duration { return silent },
		IsHead: true, // to learn the cluster's id
	}
	conn, err := gcs.Dial(ctx, gcs.Head{Address: m.Head.Address, Silent: silent})
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	alive, err := conn.CheckAlive(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := conn.Nodes(ctx)
	if err == nil && len(nodes) != 1 {
		err = fmt.Errorf("the head lists %d nodes", len(nodes))
	}
	if err != nil {
		return nil, err
	}
	m.Version, m.NodeID = alive.RayVersion, nodes[0].ID
	return m, m.Await(ctx)
}

// sentinel watches as a node does, and says what the watch tells.
func (l *life) sentinel(ctx context.Context, number int, said chan<- sighting) {
	ended := make(chan error, 1)
	go func() { ended <- l.watch(ctx) }()
	for {
		select {
		case n := <-l.noted:
			said <- sighting{Watcher: number, At: time.Now(), Doubt: n.text}
		case err := <-ended:
			s := sighting{Watcher: number, At: time.Now(), End: err.Error()}
			var lost *watchdog.LostError
			if errors.As(err, &lost) {
				s.Loss = lost.Loss
			}
			said <- s
			return
		}
	}
}

// fleet is a process with watchers on a host, as the test sees it.
type fleet struct {
	host *lab.Node
	cmd  *exec.Cmd
	over chan struct{}   // closed when it has ended
	rest strings.Builder // what package testing printed there

	mu      sync.Mutex
	doubts  map[int]time.Time // that are open, by watcher: since when
	raised  map[int]int       // how many since the last scene, by watcher
	longest time.Duration     // of those that are over
	ended   []sighting
	cpu     time.Duration // of the process, at its end
}

// deploy starts the watchers and waits until each has its stream to the head.
func deploy(t *testing.T, host, head *lab.Node) *fleet {
	t.Helper()
	path := filepath.Join(t.TempDir(), host.Name+".toml")
	text := fmt.Sprintf(
		"role = \"worker\"\ncluster = { head = \"%s:6379\", nodes = %d }\nauth.mode = \"none\"\n", head.Address, watchers+1,
	)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	self, err := os.Executable()
	require.NoError(t, err)
	f := &fleet{host: host, over: make(chan struct{}), doubts: map[int]time.Time{}, raised: map[int]int{}}
	f.cmd, err = host.Command(t.Context(), self, "-test.run=^TestFleet$")
	require.NoError(t, err)
	f.cmd.Env = append(f.cmd.Env, fleetRole+"="+path)
	f.cmd.Stderr = os.Stderr
	in, err := f.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := f.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, f.cmd.Start())
	go f.hear(out)
	t.Cleanup(func() {
		_ = in.Close()
		<-f.over
		if t.Failed() {
			t.Logf("watchers on %s:\n%s", host.Name, f.rest.String())
		}
	})
	f.settles(t, 0)
	return f
}

// hear takes down what the watchers say, until their process has ended.
func (f *fleet) hear(out io.Reader) {
	defer close(f.over)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var s sighting
		if json.Unmarshal(lines.Bytes(), &s) == nil {
			f.note(s)
		} else {
			f.rest.WriteString(lines.Text() + "\n")
		}
	}
	_ = f.cmd.Wait()
}

func (f *fleet) note(s sighting) {
	f.mu.Lock()
	defer f.mu.Unlock()
	since, open := f.doubts[s.Watcher]
	switch {
	case s.Over:
		f.cpu = s.CPU
	case s.End != "":
		f.ended = append(f.ended, s)
	case s.Doubt == "":
		f.longest = max(f.longest, s.At.Sub(since))
		delete(f.doubts, s.Watcher)
	case !open:
		f.doubts[s.Watcher] = s.At
		f.raised[s.Watcher]++
	}
}

// holds waits as long as the scene lasts and fails the test if a watch has ended.
func (f *fleet) holds(t *testing.T, scene time.Duration) {
	t.Helper()
	time.Sleep(scene)
	ended := f.ends()
	if len(ended) > 0 {
		require.Empty(t, ended[0].End, "the first of %d watches that ended", len(ended))
	}
	require.False(t, f.isOver(), "the watchers on %s have ended", f.host.Name)
}

// settles waits until the head answers all watchers, each with its stream, and says what the scene
// was to them. At least that many must have had doubts.
func (f *fleet) settles(t *testing.T, doubters int) {
	t.Helper()
	took := lab.Until(t, time.Minute, "the head answers all watchers", func() bool {
		f.holds(t, 0)
		return f.doubting() == 0 && f.streams(t) >= watchers
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	all := 0
	for _, n := range f.raised {
		all += n
	}
	t.Logf("%d watchers raised %d doubts, the longest of %v; all well again after %v", len(f.raised), all, f.longest, took)
	require.GreaterOrEqual(t, len(f.raised), doubters)
	clear(f.raised)
	f.longest = 0
}

// loses waits until the process has ended because all its watchers lost their head in that way.
// None may have taken less or more time than that since it was gone.
func (f *fleet) loses(t *testing.T, loss watchdog.Loss, gone time.Time, least, most time.Duration) {
	t.Helper()
	select {
	case <-f.over:
	case <-time.After(max(time.Until(gone.Add(most)), 5*time.Second)):
		require.Fail(t, "watchers have missed the loss", "%d of %d ended", len(f.ends()), watchers)
	}
	ended := f.ends()
	require.Len(t, ended, watchers)
	for _, s := range ended {
		require.Equal(t, loss, s.Loss, s.End)
		require.GreaterOrEqual(t, s.At.Sub(gone), least, s.End)
		require.LessOrEqual(t, s.At.Sub(gone), most, s.End)
	}
	t.Logf("all lost it, the first after %v, the last after %v; the process used %v of CPU time",
		ended[0].At.Sub(gone), ended[watchers-1].At.Sub(gone), f.cpu)
}

// ends are the watches that have ended, the first one first.
func (f *fleet) ends() []sighting {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.ended)
}

func (f *fleet) isOver() bool {
	select {
	case <-f.over:
		return true
	default:
		return false
	}
}

func (f *fleet) doubting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.doubts)
}

// streams counts the connections to the head that last: a probe's does not.
func (f *fleet) streams(t *testing.T) int {
	t.Helper()
	before := f.ports(t)
	time.Sleep(time.Second)
	return len(slices.DeleteFunc(f.ports(t), func(port string) bool { return !slices.Contains(before, port) }))
}

// ports are this side's of the connections to the head.
func (f *fleet) ports(t *testing.T) []string {
	t.Helper()
	return strings.Fields(f.host.Sh(t, "ss -Htn state established 'dport = :6379' | awk '{print $3}'"))
}
