package notify

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// listen makes the socket of a service manager and has the environment name it.
func listen(t *testing.T) *net.UnixConn {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "")
	t.Setenv("WATCHDOG_PID", "")
	return conn
}

// received returns the datagrams that are there.
func received(t *testing.T, conn *net.UnixConn) (datagrams []string) {
	raw, err := conn.SyscallConn()
	require.NoError(t, err)
	buf := make([]byte, 8192)
	require.NoError(t, raw.Read(func(fd uintptr) bool {
		for {
			n, err := unix.Read(int(fd), buf)
			if err != nil {
				return true
			}
			datagrams = append(datagrams, string(buf[:n]))
		}
	}))
	return datagrams
}

func TestSystemd_Datagrams(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(*Systemd) error
		want []string
	}{
		"ready": {
			func(s *Systemd) error { return s.Ready("running: 2 of 4 nodes") },
			[]string{"READY=1\nSTATUS=running: 2 of 4 nodes"},
		},
		"status":       {func(s *Systemd) error { return s.Status("waiting") }, []string{"STATUS=waiting"}},
		"empty status": {func(s *Systemd) error { return s.Status("") }, []string{"STATUS="}},
		"stopping": {
			func(s *Systemd) error { return s.Stopping("stopping: asked to") },
			[]string{"STOPPING=1\nSTATUS=stopping: asked to"},
		},
		"ready stopping": {
			func(s *Systemd) error { return s.ReadyStopping("stopping") },
			[]string{"READY=1\nSTATUS=stopping", "STOPPING=1\nSTATUS=stopping"},
		},
		"keep-alive": {(*Systemd).KeepAlive, []string{"WATCHDOG=1"}},
		"lines": {
			func(s *Systemd) error { return s.Status("a\nREADY=1\r\n\tb\x00\x1b[1m\u0085") },
			[]string{"STATUS=a READY=1   b  [1m "},
		},
		"not UTF-8": {func(s *Systemd) error { return s.Status("a\xffb") }, []string{"STATUS=a?b"}},
		"long": {
			func(s *Systemd) error { return s.Status(strings.Repeat("x", 5000)) },
			[]string{"STATUS=" + strings.Repeat("x", 997) + "…"},
		},
		"long, by runes": {
			func(s *Systemd) error { return s.Status("x" + strings.Repeat("é", 5000)) },
			[]string{"STATUS=x" + strings.Repeat("é", 498) + "…"},
		},
		"just fits": {
			func(s *Systemd) error { return s.Status(strings.Repeat("x", 1000)) },
			[]string{"STATUS=" + strings.Repeat("x", 1000)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := listen(t)
			require.NoError(t, c.say(New()))
			require.Equal(t, c.want, received(t, conn))
		})
	}
}

func TestSystemd_NoKeepAliveAfterStopping(t *testing.T) {
	conn := listen(t)
	s := New()
	require.NoError(t, s.KeepAlive())
	require.NoError(t, s.Stopping("bye"))
	require.NoError(t, s.KeepAlive())
	require.NoError(t, s.Status("still going"))
	require.NoError(t, s.KeepAlive())
	require.Equal(t, []string{"WATCHDOG=1", "STOPPING=1\nSTATUS=bye", "STATUS=still going"}, received(t, conn))
}

// The time is that of CLOCK_MONOTONIC, in microseconds.
func TestSystemd_Reload(t *testing.T) {
	conn := listen(t)
	s := New()
	clock := func() int64 {
		var now unix.Timespec
		require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
		return now.Nano() / 1000
	}
	before := clock()
	require.NoError(t, s.Reloading("reloading"))
	after := clock()
	require.NoError(t, s.Reloaded("running"))
	heard := received(t, conn)
	require.Len(t, heard, 2)
	lines := strings.Split(heard[0], "\n")
	require.Equal(t, []string{"RELOADING=1", "STATUS=reloading"}, []string{lines[0], lines[2]})
	at, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "MONOTONIC_USEC="), 10, 64)
	require.NoError(t, err)
	require.GreaterOrEqual(t, at, before)
	require.LessOrEqual(t, at, after)
	require.Equal(t, "READY=1\nSTATUS=running", heard[1])

	require.NoError(t, s.Stopping("bye"))
	require.NoError(t, s.Reloading("reloading"))
	require.NoError(t, s.Reloaded("running"))
	require.Equal(t, []string{"STOPPING=1\nSTATUS=bye"}, received(t, conn))
}

func TestSystemd_NoKeepAliveAfterStopping_Racing(t *testing.T) {
	conn := listen(t)
	s := New()
	var keepAlives sync.WaitGroup
	for range 4 {
		keepAlives.Go(func() { _ = s.KeepAlive() })
	}
	require.NoError(t, s.Stopping("bye"))
	keepAlives.Wait()
	datagrams := received(t, conn)
	require.Equal(t, "STOPPING=1\nSTATUS=bye", datagrams[len(datagrams)-1])
}

func TestSystemd_None(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	for _, s := range []*Systemd{New(), {}} {
		require.NoError(t, s.Ready("x"))
		require.NoError(t, s.Status("x"))
		require.NoError(t, s.KeepAlive())
		require.NoError(t, s.ReadyStopping("x"))
		require.Zero(t, s.KeepAliveEvery())
	}
}

func TestSystemd_Gone(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "/nonexistent/notify")
	s := New()
	const want = "cannot notify systemd: dial unixgram /nonexistent/notify: connect: no such file or directory"
	require.EqualError(t, s.Ready("x"), want)
	require.EqualError(t, s.ReadyStopping("x"), want)
	require.ErrorIs(t, s.KeepAlive(), os.ErrNotExist)
}

// A frozen PID 1 must not hold up the loop that watches the head.
func TestSystemd_ReadsNoMore(t *testing.T) {
	listen(t)
	s := New()
	queue, err := os.ReadFile("/proc/sys/net/unix/max_dgram_qlen")
	require.NoError(t, err)
	length, err := strconv.Atoi(strings.TrimSpace(string(queue)))
	require.NoError(t, err)
	for range length + 1 {
		require.NoError(t, s.KeepAlive())
	}
	start := time.Now()
	require.ErrorIs(t, s.KeepAlive(), os.ErrDeadlineExceeded)
	require.GreaterOrEqual(t, time.Since(start), sendLimit)
}

func TestSystemd_KeepAliveEvery(t *testing.T) {
	for name, c := range map[string]struct {
		usec, pid string
		want      time.Duration
	}{
		"none":        {"", "", 0},
		"ours":        {"30000000", strconv.Itoa(os.Getpid()), 15 * time.Second},
		"for anybody": {"30000000", "", 15 * time.Second},
		"not ours":    {"30000000", "1", 0},
		"nonsense":    {"soon", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("WATCHDOG_USEC", c.usec)
			t.Setenv("WATCHDOG_PID", c.pid)
			require.Equal(t, c.want, New().KeepAliveEvery())
		})
	}
}
