package notify

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The test binary also plays a program in a mount namespace where the journal
// is a socket of ours.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_JOURNAL_SOCKET") == "" {
		os.Exit(m.Run())
	}
	if err := ownRun(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(noMounts)
	}
	if err := sendToOwnJournal(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// noMounts is how that program ends where it may not mount.
const noMounts = 42

func ownRun() error {
	return errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount("tmpfs", "/run", "tmpfs", 0, ""),
	)
}

func sendToOwnJournal() error {
	const dir = "/run/systemd/journal"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: dir + "/socket"})
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, message := range []string{"running", "two\nlines"} {
		if err := Journal(Notice, message, map[string]string{"ray.pid": "12", "_": "dropped"}); err != nil {
			return err
		}
	}
	buf := make([]byte, 4096)
	for range 2 {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		fmt.Printf("%q\n", buf[:n])
	}
	return nil
}

func TestJournal(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_JOURNAL_SOCKET=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == noMounts {
		t.Skipf("needs a mount namespace, which this user may not have here: %v: %s", err, out)
	}
	require.NoError(t, err, "%s", out)
	require.Equal(t, []string{
		`"PRIORITY=5\nMESSAGE=running\nRAY_PID=12\n"`,
		`"PRIORITY=5\nMESSAGE\n\t\x00\x00\x00\x00\x00\x00\x00two\nlines\nRAY_PID=12\n"`,
	}, strings.Fields(string(out)))
}

func TestFieldName(t *testing.T) {
	for name, want := range map[string]string{
		"phase":                 "PHASE",
		"ray.pid":               "RAY_PID",
		"head-address":          "HEAD_ADDRESS",
		"MESSAGE_ID":            "MESSAGE_ID",
		"_SYSTEMD_UNIT":         "SYSTEMD_UNIT",
		"2nd":                   "ND",
		"größe":                 "GR__E",
		"__":                    "",
		strings.Repeat("a", 99): strings.Repeat("A", 64),
	} {
		require.Equal(t, want, fieldName(name))
	}
}

func TestUnderJournal(t *testing.T) {
	var stderr unix.Stat_t
	require.NoError(t, unix.Fstat(2, &stderr))
	for value, want := range map[string]bool{
		fmt.Sprintf("%d:%d", stderr.Dev, stderr.Ino):   true,
		fmt.Sprintf("%d:%d", stderr.Dev, stderr.Ino+1): false,
		"nonsense": false,
		"":         false,
	} {
		t.Setenv("JOURNAL_STREAM", value)
		require.Equal(t, want, UnderJournal(), value)
	}
}

func TestJournalStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stdout")
	journald, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	require.NoError(t, err)
	defer journald.Close()

	f, err := journalStream(path, "ray-worker", Info)
	require.NoError(t, err)
	conn, err := journald.Accept()
	require.NoError(t, err)
	defer conn.Close()

	child := exec.CommandContext(t.Context(), "sh", "-c", "echo one; echo '<3>two' >&2")
	child.Stdout, child.Stderr = f, f
	require.NoError(t, child.Run())

	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	require.NoError(t, err)
	require.Zero(t, flags&unix.O_NONBLOCK)
	timeout, err := unix.GetsockoptTimeval(int(f.Fd()), unix.SOL_SOCKET, unix.SO_SNDTIMEO)
	require.NoError(t, err)
	require.Equal(t, unix.Timeval{}, *timeout)
	require.NoError(t, f.Close())

	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.Equal(t, "ray-worker\n\n6\n1\n0\n0\n0\none\n<3>two\n", string(got))
}

func TestJournalStream_Errors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stdout")
	_, err := journalStream(path, "ray", Info)
	require.EqualError(t, err, `cannot open a journal stream for "ray": connect: no such file or directory`)
	require.ErrorIs(t, err, os.ErrNotExist)

	_, err = journalStream(path, "a\nb", Info)
	require.EqualError(t, err, `cannot open a journal stream for "a\nb": identifier: must be one line, not empty`)
	_, err = journalStream(path, "", Info)
	require.EqualError(t, err, `cannot open a journal stream for "": identifier: must be one line, not empty`)
}

// A journald that accepts nobody must not hold up the start of Ray.
func TestJournalStream_Hangs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stdout")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(fd)
	require.NoError(t, unix.Bind(fd, &unix.SockaddrUnix{Name: path}))
	require.NoError(t, unix.Listen(fd, 0))

	first, err := journalStream(path, "ray", Info)
	require.NoError(t, err)
	defer first.Close()
	start := time.Now()
	_, err = journalStream(path, "ray", Info)
	require.EqualError(t, err, `cannot open a journal stream for "ray": connect: resource temporarily unavailable`)
	require.GreaterOrEqual(t, time.Since(start), sendLimit)
}
