package ray

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func claim(p Program, owner string) (Session, error) {
	s := SessionOf(p)
	return s, s.Claim(owner)
}

func TestSession_Former(t *testing.T) {
	dir := t.TempDir()
	session := func(name, owner string, age time.Duration) Program {
		p := Program{LogDir: filepath.Join(dir, name, "logs")}
		require.NoError(t, os.MkdirAll(p.LogDir, 0o755))
		if owner != "" {
			s, err := claim(p, owner)
			require.NoError(t, err)
			when := time.Now().Add(-age)
			require.NoError(t, os.Chtimes(filepath.Join(s.Dir, ownerFile(owner)), when, when))
		}
		return p
	}
	session("session_1", "role", 3*time.Hour)
	session("session_2", "role", 2*time.Hour)
	session("session_3", "other", time.Hour)
	session("session_4", "", 0)
	session("old", "role", 5*time.Hour)
	now := session("session_0", "role", 0)
	require.NoError(t, os.Symlink("session_1", filepath.Join(dir, "session_latest")))

	current, err := claim(now, "role")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "session_0"), current.Dir)
	var former []string
	for _, s := range current.Former("role") {
		former = append(former, filepath.Base(s.Dir))
	}
	require.Equal(t, []string{"session_2", "session_1"}, former)
}

func TestAdopt(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-time.Hour).Truncate(time.Second)
	for _, name := range []string{"session_1", "session_2", "other"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	require.NoError(t, os.Symlink("session_1", filepath.Join(dir, "session_latest")))
	current, err := claim(Program{LogDir: filepath.Join(dir, "session_2", "logs")}, "role")
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "session_1"), long, long))
	for range 2 {
		ClaimAll(dir, "role")
		require.Equal(t, []Session{{Dir: filepath.Join(dir, "session_1"), used: long}}, current.Former("role"))
	}
	require.NoFileExists(t, filepath.Join(dir, "other", ownerFile("role")))
}

func TestSession_Held(t *testing.T) {
	s := Session{Dir: filepath.Join(t.TempDir(), "session_1")}
	require.NoError(t, os.Mkdir(s.Dir, 0o755))
	require.False(t, s.InUse(t.Context()))
	f, err := os.Create(filepath.Join(s.Dir, "log"))
	require.NoError(t, err)
	require.True(t, s.InUse(t.Context()))
	require.NoError(t, f.Close())
	require.False(t, s.InUse(t.Context()))
}

func TestClaim_NoFolder(t *testing.T) {
	_, err := claim(Program{LogDir: filepath.Join(t.TempDir(), "none", "logs")}, "role")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// Who leaves a session that others have, too, leaves it to them.
func TestSession_Shared(t *testing.T) {
	p := Program{LogDir: filepath.Join(t.TempDir(), "session_1", "logs")}
	require.NoError(t, os.MkdirAll(p.LogDir, 0o755))
	s, err := claim(p, "role-0-a")
	require.NoError(t, err)
	require.False(t, s.Shared("role-0-a"))
	require.NoError(t, s.Claim("role-0-b"))
	require.True(t, s.Shared("role-0-a"))
	require.NoError(t, s.Leave(t.Context(), "role-0-a"))
	require.False(t, s.Shared("role-0-b"))
}

func TestSessionOf_Nowhere(t *testing.T) {
	require.Equal(t, Session{}, SessionOf(Program{Name: "ray_client_server"}))
}
