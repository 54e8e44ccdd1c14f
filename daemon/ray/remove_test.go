package ray

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// newSession makes a claimed session with some files in folders.
func newSession(t *testing.T, dir string) Session {
	t.Helper()
	p := Program{LogDir: filepath.Join(dir, "session_1", "logs")}
	for i := range 300 {
		file := filepath.Join(p.LogDir, fmt.Sprint("old-", i%7), "deeper", fmt.Sprint(i))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, nil, 0o600))
	}
	s, err := claim(p, "role")
	require.NoError(t, err)
	return s
}

func TestSession_Remove(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "session_2", "file")
	require.NoError(t, os.Mkdir(filepath.Dir(other), 0o755))
	require.NoError(t, os.WriteFile(other, nil, 0o600))
	s := newSession(t, dir)
	require.NoError(t, os.Symlink(filepath.Dir(other), filepath.Join(s.Dir, "link")))
	require.NoError(t, os.Symlink("../../session_2", filepath.Join(s.Dir, "logs", "link")))
	require.NoError(t, s.Remove(t.Context(), "role"))
	require.NoDirExists(t, s.Dir)
	require.FileExists(t, other)
}

// expiring ends after it was asked so many times whether it has.
type expiring struct {
	context.Context
	looks int
}

func (c *expiring) Err() error {
	if c.looks--; c.looks < 0 {
		return context.Canceled
	}
	return nil
}

// A removal that is cut off is taken up again: the session is still its owner's.
func TestSession_Remove_CutOff(t *testing.T) {
	dir := t.TempDir()
	s, rounds := newSession(t, dir), 0
	for ; ; rounds++ {
		former := Session{Dir: filepath.Join(dir, "session_2")}.Former("role")
		require.Len(t, former, 1, "after %d rounds", rounds)
		if former[0].Remove(&expiring{t.Context(), 50}, "role") == nil {
			break
		}
	}
	require.NoDirExists(t, s.Dir)
	require.Greater(t, rounds, 3)
}

// What cannot be removed does not keep the rest, and the session stays its owner's.
func TestSession_Remove_TooDeep(t *testing.T) {
	s := newSession(t, t.TempDir())
	deep, err := os.OpenRoot(s.Dir)
	require.NoError(t, err)
	for range maxDepth + 10 {
		require.NoError(t, deep.Mkdir("d", 0o755))
		inner, err := deep.OpenRoot("d")
		require.NoError(t, err)
		require.NoError(t, deep.Close())
		deep = inner
	}
	require.NoError(t, deep.Close())
	require.ErrorIs(t, s.Remove(t.Context(), "role"), errDeep)
	left, err := os.ReadDir(s.Dir)
	require.NoError(t, err)
	require.Len(t, left, 2, "the owner file and what is too deep")
}

// Who goes on filling a session does not keep the one who removes it.
func TestSession_Remove_Filled(t *testing.T) {
	s := newSession(t, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		for i := 0; ctx.Err() == nil; i++ {
			_ = os.WriteFile(filepath.Join(s.Dir, "logs", fmt.Sprint("new-", i)), nil, 0o600)
			_ = os.MkdirAll(filepath.Join(s.Dir, "logs"), 0o755)
		}
	}()
	soon(t, func() { _ = s.Remove(t.Context(), "role") })
	stop()
	<-filled
}

// What others put in the place of a session that has just been listed is neither followed nor
// waited for.
func TestSession_Remove_Replaced(t *testing.T) {
	for name, plant := range map[string]func(string) error{
		"a pipe":         func(path string) error { return unix.Mkfifo(path, 0o600) },
		"a link":         func(path string) error { return os.Symlink("session_2", path) },
		"a link outside": func(path string) error { return os.Symlink("/", path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := newSession(t, dir)
			kept := filepath.Join(dir, "session_2")
			require.NoError(t, os.Rename(s.Dir, kept))
			require.NoError(t, plant(s.Dir))
			var err error
			soon(t, func() { err = s.Remove(t.Context(), "role") })
			require.ErrorIs(t, err, unix.ENOTDIR)
			require.DirExists(t, filepath.Join(kept, "logs"))
		})
	}
}

// The last two who leave a session at the same time do not both leave it to the other.
func TestSession_Leave_Last(t *testing.T) {
	s := newSession(t, t.TempDir())
	require.NoError(t, s.Leave(t.Context(), "role"))
	require.NoDirExists(t, s.Dir)
}

func TestSession_Held_NobodyKnows(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := Session{Dir: "/none/session_1"}
	require.False(t, s.InUse(ctx))
	cancel()
	require.True(t, s.InUse(ctx))
}
