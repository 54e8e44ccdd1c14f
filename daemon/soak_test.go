package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/test/fakeray"
	"github.com/raynoded/raynoded/test/lab"
)

// lives are how many it takes to warm up, and how many in all: a fifteenth of them, unless
// RAYNODED_SOAK is set. What each life leaves behind shows after one.
func lives(warm, all int) (first, last int) {
	if os.Getenv("RAYNODED_SOAK") == "" {
		return 3, max(all/15, 5)
	}
	return warm, all
}

// A standing worker that has lost its head many times holds no more, while it waits for the next,
// than at first.
func TestSoak_HeadLost(t *testing.T) {
	warm, all := lives(20, 150)
	s := newSoak(t)
	log := s.listen(t)
	ctx, ask := context.WithCancelCause(t.Context())
	ended := s.live(ctx, log)
	var before holding
	for life := 1; life <= all; life++ {
		stop := s.serve(t)
		if life%5 == 0 {
			log.until("info starting") // it loses this one while Ray starts
		} else {
			log.until("info running")
		}
		stop()
		log.until(" stopping ")
		if life == warm || life == all {
			log.until(" waiting ")
			before = s.notMore(t, life, before)
		}
	}
	ask(fmt.Errorf("%w: terminated", reason.ErrAsked))
	require.ErrorIs(t, <-ended, reason.ErrAsked)
}

// A process in which many daemons were asked to stop holds no more than at first.
func TestSoak_Stopped(t *testing.T) {
	warm, all := lives(10, 50)
	s := newSoak(t)
	stop := s.serve(t)
	defer stop()
	var before holding
	for life := 1; life <= all; life++ {
		log := s.listen(t)
		ctx, ask := context.WithCancelCause(t.Context())
		ended := s.live(ctx, log)
		log.until("info running")
		ask(fmt.Errorf("%w: terminated", reason.ErrAsked))
		require.ErrorIs(t, <-ended, reason.ErrAsked)
		if life == warm || life == all {
			before = s.notMore(t, life, before)
		}
	}
}

// The sessions of lives that ended while Ray started are removed as others are, also before one
// lasts.
func TestSoak_Sessions(t *testing.T) {
	s := newSoak(t)
	log := s.listen(t)
	ctx, ask := context.WithCancelCause(t.Context())
	ended := s.live(ctx, log)
	seen := map[string]bool{}
	for life := 1; life <= s.role.Ray.KeepSessions+4; life++ {
		stop := s.serve(t)
		log.until("info starting")
		require.Eventually(t, func() bool {
			all, _ := os.ReadDir(filepath.Join(s.dir, "ray"))
			before := len(seen)
			for _, session := range all {
				seen[session.Name()] = true
			}
			return len(seen) > before
		}, 10*time.Second, time.Millisecond)
		require.LessOrEqual(
			t, s.sessions(), s.role.Ray.KeepSessions+2,
			"one more on a busy host, where the time before a start is over sooner",
		)
		stop()
		log.until(" stopping ")
	}
	stop := s.serve(t)
	defer stop()
	log.until("info running")
	require.Eventually(
		t, func() bool { return s.sessions() == s.role.Ray.KeepSessions }, 10*time.Second, 50*time.Millisecond,
	)
	ask(fmt.Errorf("%w: terminated", reason.ErrAsked))
	require.ErrorIs(t, <-ended, reason.ErrAsked)
}

// soak is a standing worker of which only the head changes.
type soak struct {
	dir, address string
	ray          fakeray.Folder
	role         *role.Role
	tree         *child.Tree
}

func newSoak(t *testing.T) *soak {
	dir := lab.Folder(t)
	s := &soak{dir: dir, ray: fakeray.Folder(filepath.Join(dir, "f"))}
	bin, err := s.ray.Install()
	require.NoError(t, err)
	s.address = fmt.Sprintf("127.%d.%d.252:6379", 1+os.Getpid()/250%250, 1+os.Getpid()%250)
	s.role = load(t, dir, fmt.Sprintf(`role = "worker"
cluster = { head = %q }
auth.mode = "none"
env_from.inherit = ["FAKERAY*", "GORACE"]
watchdog = { on_head_loss = "rejoin", refused = "20ms", check_interval = "100ms" }
ray.bin = %q
`, s.address, bin))
	s.tree, err = child.New()
	require.NoError(t, err)
	t.Cleanup(s.tree.Close)
	go func() { _ = s.tree.Reap(t.Context()) }()
	return s
}

// serve has a new head come.
func (s *soak) serve(t *testing.T) (stop func()) {
	t.Helper()
	stop, err := s.ray.ServeGCS(s.address, "")
	require.NoError(t, err)
	return stop
}

func (s *soak) listen(t *testing.T) transcript {
	return transcript{t, make(chan string, 1000), time.After(4 * time.Minute)}
}

func (s *soak) live(ctx context.Context, log transcript) <-chan error {
	logger := quiet()
	logger.AddHook(log)
	d := New(Options{
		Role: s.role, Files: role.Read(s.role.Files[0]), Dirs: host.Dirs{
			State: s.dir, Run: s.dir, Temp: filepath.Join(s.dir, "ray"),
		},
		Log: logger, Systemd: &notify.Systemd{}, Tree: s.tree,
		Env:    []string{"PATH=/usr/bin:/bin", s.ray.Env(), "GORACE=atexit_sleep_ms=0"},
		Output: func(string) (*os.File, error) { return os.OpenFile(os.DevNull, os.O_WRONLY, 0) },
	})
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, context.WithoutCancel(ctx)) }()
	return ended
}

// holding is what a process that lives for months must not gather. Of Ray's sessions the next life
// that lasts removes what is too many.
type holding struct {
	goroutines, fds, cgroups, files, sessions int
	threads                                   int
	heap, resident                            int // in KiB
}

// The kernel's and the runtime's own growth, which ends.
const (
	slackThreads  = 10
	slackHeap     = 1 << 10
	slackResident = 16 << 10
)

func (h holding) more(before holding) bool {
	return h.goroutines > before.goroutines || h.fds > before.fds || h.cgroups > before.cgroups ||
		h.files > before.files ||
		h.threads > before.threads+slackThreads || h.heap > before.heap+slackHeap ||
		h.resident > before.resident+slackResident
}

func (h holding) countable() int { return h.goroutines + h.fds + h.cgroups + h.files }

// notMore measures and returns what it found. Where there is something to compare with, it must not
// be exceeded, but for a connection that is just open, or a file with which a folder is tried.
func (s *soak) notMore(t *testing.T, life int, before holding) holding {
	t.Helper()
	least := s.holds(t)
	looks := 100
	if before == (holding{}) {
		looks = 20
	}
	for range looks {
		now := s.holds(t)
		if now.countable() < least.countable() || before != (holding{}) && !now.more(before) {
			least = now
		}
		if before != (holding{}) && !least.more(before) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("after %3d lives: %+v", life, least)
	if before != (holding{}) && least.more(before) {
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(t.Output(), 1))
		require.Equal(t, before, least, "it holds more after %d lives", life)
	}
	return least
}

func (s *soak) holds(t *testing.T) holding {
	t.Helper()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	statm, err := os.ReadFile("/proc/self/statm")
	require.NoError(t, err)
	var size, pages int
	_, err = fmt.Sscan(string(statm), &size, &pages)
	require.NoError(t, err)
	return holding{
		goroutines: runtime.NumGoroutine(),
		fds:        len(listing(t, "/proc/self/fd")),
		threads:    len(listing(t, "/proc/self/task")),
		cgroups:    named(t, "/sys/fs/cgroup", fmt.Sprintf("ray-%d-*", os.Getpid())),
		files:      named(t, s.dir, "*"),
		sessions:   s.sessions(),
		heap:       int(m.HeapAlloc >> 10),
		resident:   pages * os.Getpagesize() >> 10,
	}
}

func (s *soak) sessions() int {
	all, _ := os.ReadDir(filepath.Join(s.dir, "ray"))
	return len(all)
}

func listing(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	return all
}

// named counts what has such a name below a folder, but for what the fake Ray keeps there.
func named(t *testing.T, root, pattern string) int {
	t.Helper()
	n := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, os.ErrNotExist): // it has just gone
			return nil
		case err != nil:
			return err
		case d.Name() == "f", strings.HasPrefix(d.Name(), "session_"):
			return filepath.SkipDir
		}
		if match, _ := filepath.Match(pattern, d.Name()); match {
			n++
		}
		return nil
	}))
	return n
}
