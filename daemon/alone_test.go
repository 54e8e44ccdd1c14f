package daemon

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// A file that hangs while a single host starts does not hold the start for ever once the node was
// to end: the keep-alive, which is all that guards a start, does not come any more.
func TestLife_Alone_FileHangs(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, ".nccl.conf")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "notify")})
	require.NoError(t, err)
	defer systemd.Close()
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	heard := func(within time.Duration) (string, error) {
		require.NoError(t, systemd.SetReadDeadline(time.Now().Add(within)))
		text := make([]byte, 1000)
		n, err := systemd.Read(text)
		return string(text[:n]), err
	}

	r := newRole(role.Single)
	r.Files = []string{filepath.Join(dir, "role.toml")}
	l := lifeOf(r)
	l.beat, l.env, l.systemd = time.NewTicker(time.Millisecond), []string{"HOME=" + dir}, notify.New()
	defer l.beat.Stop()
	ctx, ask := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.serveAlone(ctx) }()

	for text := ""; text != "WATCHDOG=1"; {
		text, err = heard(time.Minute)
		require.NoError(t, err)
	}
	ask(reason.ErrAsked)
	const beats = 200 * time.Millisecond // many of them
	require.Eventually(t, func() bool {
		_, err := heard(beats)
		return errors.Is(err, os.ErrDeadlineExceeded)
	}, time.Minute, time.Microsecond, "the keep-alive goes on")
	released, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	require.NoError(t, err)
	require.NoError(t, released.Close())
	require.Equal(t, reason.ErrAsked, <-ended)
}
