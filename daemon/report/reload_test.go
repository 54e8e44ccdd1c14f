package report

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/test/lab"
)

// serve answers at a socket, whose path it returns.
func serve(t *testing.T, d Handlers) string {
	t.Helper()
	socket := filepath.Join(lab.Folder(t), "control.sock")
	l, err := Listen(socket)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, d) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		require.NoFileExists(t, socket)
	})
	return socket
}

func TestReload(t *testing.T) {
	want := Reloaded{
		Applied: []string{"stop.grace"}, Pending: []string{"node.ip"}, Restarting: []string{},
		Errors: role.Problems{{File: "a.toml", Line: 1, Col: 2, Key: "role", Text: "must be"}},
	}
	socket := serve(t, Handlers{Reload: func(context.Context) (Reloaded, error) { return want, nil }})
	info, err := os.Stat(socket)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	for range 3 {
		got, err := Reload(t.Context(), socket)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

func TestReload_Refused(t *testing.T) {
	socket := serve(t, Handlers{Reload: func(context.Context) (Reloaded, error) { return Reloaded{}, errors.New("busy") }})
	_, err := Reload(t.Context(), socket)
	require.EqualError(t, err, "the raynoded that runs does not reload (503 Service Unavailable): busy")
}

func TestReload_Nobody(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	_, err := Reload(t.Context(), socket)
	require.ErrorIs(t, err, ErrNotRunning)
	require.EqualError(t, err, "no raynoded runs there: "+socket)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: socket})
	require.NoError(t, err)
	l.SetUnlinkOnClose(false)
	require.NoError(t, l.Close())
	_, err = Reload(t.Context(), socket)
	require.ErrorIs(t, err, ErrNotRunning, "a dead daemon's socket")
	l2, err := Listen(socket)
	require.NoError(t, err, "takes its place")
	require.NoError(t, l2.Close())
}

// A daemon of another release knows other things, and has more to say.
func TestReload_OtherVersion(t *testing.T) {
	answer := func(handler http.HandlerFunc) string {
		socket := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", socket)
		require.NoError(t, err)
		server := &http.Server{Handler: handler, ReadHeaderTimeout: connTimeout}
		go func() { _ = server.Serve(l) }()
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return socket
	}
	_, err := Reload(t.Context(), answer(http.NotFound))
	require.EqualError(t, err, "the raynoded that runs does not reload (404 Not Found): 404 page not found")
	got, err := Reload(t.Context(), answer(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"applied": ["a.b"], "later": {"x": 1}}`))
	}))
	require.NoError(t, err)
	require.Equal(t, Reloaded{Applied: []string{"a.b"}}, got)
	_, err = Reload(t.Context(), answer(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	require.EqualError(t, err, "cannot read raynoded's answer: invalid character 'h' looking for beginning of value")
}

func TestReload_NoAnswer(t *testing.T) {
	socket := serve(t, Handlers{Reload: func(ctx context.Context) (Reloaded, error) {
		<-ctx.Done()
		return Reloaded{}, ctx.Err()
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Reload(ctx, socket)
	require.ErrorIs(t, err, context.Canceled)
}

func TestReloaded_String(t *testing.T) {
	require.Equal(t, "nothing to do: what the files say is in force", Reloaded{}.String())
	require.Equal(t, "applied: a, b\nRay is being started anew for: c\nrestart pending: d",
		Reloaded{Applied: []string{"a", "b"}, Restarting: []string{"c"}, Pending: []string{"d"}}.String())
}
