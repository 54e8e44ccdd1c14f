package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// aged makes unmarked sessions in our own folder, the last one the youngest.
func aged(t *testing.T, l *life, n int) {
	t.Helper()
	for i := range n {
		dir := filepath.Join(l.dirs.Temp, fmt.Sprint("session_", i))
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "logs"), 0o755))
		when := time.Now().Add(time.Duration(i-n) * time.Hour)
		require.NoError(t, os.Chtimes(dir, when, when))
	}
}

func left(t *testing.T, l *life) []string {
	t.Helper()
	names := []string{}
	for _, e := range listing(t, l.dirs.Temp) {
		names = append(names, e.Name())
	}
	return names
}

// What Ray may use again when it starts is not removed before.
func TestLife_TidyFirst(t *testing.T) {
	l := tidying(t)
	aged(t, l, 5)
	for range 10 { // on a busy host its time is over before
		require.NoError(t, l.tidyFirst(t.Context()))
		if len(left(t, l)) == 2 {
			break
		}
	}
	require.Equal(t, []string{"session_3", "session_4"}, left(t, l))
}

func TestLife_TidyFirst_Asked(t *testing.T) {
	l := tidying(t)
	aged(t, l, 5)
	ctx, ask := context.WithCancelCause(t.Context())
	asked := errors.New("asked")
	ask(asked)
	require.ErrorIs(t, l.tidyFirst(ctx), asked)
	require.Len(t, left(t, l), 5)
}

// The guard returns in the middle of a session, and the next one removes the rest of it.
func TestLife_Tidy_CutOff(t *testing.T) {
	l := tidying(t)
	l.role().Ray.KeepSessions = 1
	current := session(t, filepath.Join(l.dirs.Temp, "session_now"), "grpo")
	l.program.LogDir = filepath.Join(current.Dir, "logs")
	old := session(t, filepath.Join(l.dirs.Temp, "session_old"), "grpo")
	for i := range 20_000 {
		require.NoError(t, os.WriteFile(filepath.Join(old.Dir, "logs", fmt.Sprint(i)), nil, 0o600))
	}
	tidied := func(done func() bool) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- l.tidy(ctx) }()
		require.Eventually(t, done, time.Minute, time.Millisecond)
		stop()
		require.ErrorIs(t, <-ended, context.Canceled)
	}
	logs, long := filepath.Join(old.Dir, "logs"), time.Unix(1, 0)
	require.NoError(t, os.Chtimes(logs, long, long))
	tidied(func() bool {
		info, err := os.Stat(logs)
		return err != nil || !info.ModTime().Equal(long) // something in it has gone
	})
	require.DirExists(t, logs)
	tidied(func() bool { _, err := os.Stat(old.Dir); return err != nil })
	require.Equal(t, []string{"session_now"}, left(t, l))
}

// tidying is a life whose sessions can be tidied.
func tidying(t *testing.T) *life {
	log, _ := test.NewNullLogger()
	r := &role.Role{Name: "grpo"}
	r.Ray.KeepSessions = 2
	l := lifeOf(r)
	l.log, l.dirs.Temp = log, filepath.Join(t.TempDir(), "ray")
	l.processes.dirs, l.processes.instance = l.dirs, r.Name
	l.node = ray.Node{Role: r, TempDir: l.dirs.Temp}
	return l
}

// session makes a session that is marked as owner's.
func session(t *testing.T, dir, owner string) ray.Session {
	t.Helper()
	s := ray.Session{Dir: dir}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "logs"), 0o755))
	require.NoError(t, s.Claim(owner))
	return s
}

// Two hosts, or users, that have a session together remove it once both want to.
func TestLife_Remove_Shared(t *testing.T) {
	l := tidying(t)
	dir := filepath.Join(t.TempDir(), "session_1")
	ours := session(t, dir, l.owner("/shared"))
	session(t, dir, "theirs")
	l.remove(t.Context(), ours, l.owner("/shared"))
	require.DirExists(t, filepath.Join(dir, "logs"))
	require.False(t, ours.Shared("theirs"), "it is theirs alone")
	l.remove(t.Context(), ours, "theirs")
	require.NoDirExists(t, dir)
}
