package daemon

import (
	"context"
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

// A file that hangs while a single host starts does not hold up systemd once the node was asked to
// stop: nobody asks for more time any more.
func TestLife_Alone_FileHangs(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, ".nccl.conf")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: filepath.Join(dir, "notify")})
	require.NoError(t, err)
	defer systemd.Close()
	require.NoError(t, systemd.SetReadDeadline(time.Now().Add(time.Minute)))
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "notify"))
	heard := func() string {
		text := make([]byte, 1000)
		n, err := systemd.Read(text)
		require.NoError(t, err)
		return string(text[:n])
	}

	r := newRole(role.Single)
	r.Files = []string{filepath.Join(dir, "role.toml")}
	l := lifeOf(r)
	l.beat, l.env, l.systemd = time.NewTicker(time.Millisecond), []string{"HOME=" + dir}, notify.New()
	defer l.beat.Stop()
	ctx, ask := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- l.serveAlone(ctx) }()

	const more, alive = "EXTEND_TIMEOUT_USEC=40000000", "WATCHDOG=1"
	for heard() != more {
	}
	ask(reason.ErrAsked)
	for last, said := "", ""; last != alive || said != alive; {
		last, said = said, heard()
	}
	released, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	require.NoError(t, err)
	require.NoError(t, released.Close())
	require.Equal(t, reason.ErrAsked, <-ended)
}
