//go:build ray

package test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/test/lab"
)

// running is a member's raynoded as a process, in the foreground, with the test as its service
// manager.
type running struct {
	*member
	cmd    *exec.Cmd
	output string // its file
	ended  chan struct{}
	end    time.Time // once it has ended
	tree   []proc    // all that was once seen below it

	mu    sync.Mutex
	heard []datagram
}

// datagram is what raynoded told its service manager.
type datagram struct {
	at   time.Time
	text string
}

// status is the line for `systemctl status`; "" if the datagram has none.
func (d datagram) status() string {
	_, status, _ := strings.Cut(d.text, "STATUS=")
	return status
}

// start starts raynoded. At the end of the test it is told to stop if it still runs.
func (m *member) start(t *testing.T) *running {
	t.Helper()
	argv := append(slices.Clone(m.wrapper), lab.Binary(t), "run", "--role", m.role())
	r := &running{member: m, cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	log, err := os.CreateTemp(m.path(), "log")
	require.NoError(t, err)
	defer log.Close()
	r.output = log.Name()
	socket := m.listen(t)
	r.cmd.Env = append([]string{"NOTIFY_SOCKET=" + m.path("notify")}, m.env...)
	r.cmd.Stdout, r.cmd.Stderr = log, log
	require.NoError(t, r.cmd.Start())
	deaf := make(chan struct{})
	go func() {
		r.hear(socket)
		close(deaf)
	}()
	go func() {
		_ = r.cmd.Wait()
		r.end = time.Now()
		close(r.ended)
	}()
	t.Cleanup(func() {
		defer func() {
			_ = socket.Close()
			<-deaf
		}()
		if t.Failed() {
			t.Logf("%s said:\n%s", m.name, r.log(t))
		}
		if r.lives() {
			_ = r.cmd.Process.Signal(syscall.SIGTERM)
			r.wait(t, comes)
		}
	})
	return r
}

// listen opens the socket of a service manager.
func (m *member) listen(t *testing.T) *net.UnixConn {
	t.Helper()
	_ = os.Remove(m.path("notify"))
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: m.path("notify")})
	require.NoError(t, err)
	return socket
}

// hear takes what raynoded tells its service manager until the socket is closed.
func (r *running) hear(socket *net.UnixConn) {
	for b := make([]byte, 4096); ; {
		n, err := socket.Read(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.heard = append(r.heard, datagram{at: time.Now(), text: string(b[:n])})
		r.mu.Unlock()
	}
}

func (r *running) lives() bool {
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

func (r *running) pid() int { return r.cmd.Process.Pid }

// log is what raynoded and its children have written so far.
func (r *running) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(r.output)
	require.NoError(t, err)
	return string(text)
}

// says waits until the log has some text.
func (r *running) says(t *testing.T, text string) {
	t.Helper()
	lab.Until(t, comes, r.name+" says "+text, func() bool {
		lives := r.lives()
		said := strings.Contains(r.log(t), text)
		require.True(t, said || lives, "%s has ended without saying %s", r.name, text)
		return said
	})
}

// hears waits for a datagram that has some text.
func (r *running) hears(t *testing.T, text string) datagram {
	t.Helper()
	return r.hearsAfter(t, time.Time{}, text)
}

// hearsAfter waits for a datagram from after a moment that has some text.
func (r *running) hearsAfter(t *testing.T, moment time.Time, text string) datagram {
	t.Helper()
	var found datagram
	lab.Until(t, comes, r.name+" tells its manager "+text, func() bool {
		alive := r.lives()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, d := range r.heard {
			if d.at.After(moment) && strings.Contains(d.text, text) {
				found = d
				return true
			}
		}
		require.True(t, alive, "%s has ended without telling its manager %s", r.name, text)
		return false
	})
	return found
}

// ready waits until the node is in its cluster.
func (r *running) ready(t *testing.T) datagram {
	t.Helper()
	return r.hears(t, "STATUS=running")
}

func (r *running) status() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.heard) - 1; i >= 0; i-- {
		if status := r.heard[i].status(); status != "" {
			return status
		}
	}
	return ""
}

// look notes who runs below raynoded just now: none of them may be there after its end.
func (r *running) look() []proc {
	now := below(r.pid())
	r.tree = append(r.tree, now...)
	return now
}

// one returns the only process below raynoded whose command line matches.
func (r *running) one(t *testing.T, pattern string) proc {
	t.Helper()
	var found []proc
	for _, p := range r.look() {
		if p.living() && regexp.MustCompile(pattern).MatchString(p.line()) {
			found = append(found, p)
		}
	}
	require.Len(t, found, 1, "processes like %s", pattern)
	return found[0]
}

// Ray's programs, by their command lines.
const (
	gcsServer  = `/gcs_server `
	raylet     = `/raylet/raylet `
	logMonitor = `/log_monitor\.py `
	dashboard  = `/dashboard/dashboard\.py `
	rayStart   = `/bin/ray start `
)

// wait waits for the end and returns the exit code.
func (r *running) wait(t *testing.T, limit time.Duration) int {
	t.Helper()
	ctx, cancel := lab.Within(context.WithoutCancel(t.Context()), limit)
	defer cancel()
	select {
	case <-r.ended:
	case <-ctx.Done():
		require.FailNow(t, r.name+" has not ended", "within %s; below it: %v", limit, below(r.pid()))
	}
	return r.cmd.ProcessState.ExitCode()
}

// stop sends SIGTERM and expects the end that was asked for.
func (r *running) stop(t *testing.T) time.Duration {
	t.Helper()
	r.look()
	asked := time.Now()
	require.NoError(t, r.cmd.Process.Signal(syscall.SIGTERM))
	r.ends(t, 0, "asked to stop: terminated")
	return r.end.Sub(asked)
}

// ends waits for the end and compares it with what must be: the exit code, and the reason, in which
// * stands for anything, in the last line of the log and on record. Nothing must be left.
func (r *running) ends(t *testing.T, code int, reason string) {
	t.Helper()
	require.Equal(t, code, r.wait(t, comes), r.log(t))
	var end host.End
	text, err := os.ReadFile(r.path("last-end.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &end))
	require.Equal(t, code, end.Code)
	t.Logf("%s: %d: %s", r.name, code, end.Reason)
	matches(t, r.fill(reason), end.Reason)
	last := " ended: " + end.Reason
	if code != 0 {
		last = " error:" + last
	}
	log := strings.TrimSpace(r.log(t))
	require.True(
		t, strings.HasSuffix(log, last), "the log does not end with%s but with:\n%s", last,
		log[max(0, len(log)-2*len(last)):],
	)
	require.NotContains(t, log, "DATA RACE")
	r.nothingLeft(t)
}

// matches compares a text with what it must be, in which * stands for anything.
func matches(t *testing.T, want, got string) {
	t.Helper()
	require.Regexp(t, "^(?s:"+strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, ".*")+")$", got)
}

// nothingLeft looks for whatever raynoded may have left behind.
func (r *running) nothingLeft(t *testing.T) {
	t.Helper()
	for _, p := range r.tree {
		require.False(t, p.living(), "left: %s", p)
	}
	require.Empty(t, marked(r.path()), "left")
	require.NoFileExists(t, r.path("run", "ray.env"))
	for _, tree := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		cgroups, err := filepath.Glob(tree + ownCgroup(t) + "/ray-" + itoa(r.pid()) + "-*")
		require.NoError(t, err)
		require.Empty(t, cgroups)
	}
}

// ownCgroup is the cgroup v2 that the test runs in, and so raynoded.
func ownCgroup(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if path, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			return path
		}
	}
	return "/none"
}

// kill kills what is left of a site and says what it was.
func (s *site) kill(t *testing.T) []proc {
	t.Helper()
	left := marked(s.dir)
	for _, p := range left {
		if err := syscall.Kill(p.pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			require.NoError(t, err)
		}
	}
	lab.Until(t, comes, "the killed are gone", func() bool { return len(marked(s.dir)) == 0 })
	return left
}
