package ray

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// planted is what others may put in the place of a file of ours. The secret is a file of ours
// elsewhere.
var planted = map[string]func(t *testing.T, path, secret string){
	"a link": func(t *testing.T, path, secret string) {
		require.NoError(t, os.Symlink(secret, path))
	},
	"a pipe": func(t *testing.T, path, _ string) {
		require.NoError(t, unix.Mkfifo(path, 0o666))
	},
	"a folder": func(t *testing.T, path, _ string) {
		require.NoError(t, os.Mkdir(path, 0o777))
	},
	"a file of another user's": func(t *testing.T, path, _ string) {
		require.NoError(t, os.WriteFile(path, []byte("planted\n"), 0o666))
		disown(t, path)
	},
}

func eachPlanted(t *testing.T, test func(t *testing.T, path, secret string), name ...string) {
	for what, plant := range planted {
		t.Run(what, func(t *testing.T) {
			dir := t.TempDir()
			secret, path := filepath.Join(dir, "secret"), filepath.Join(append([]string{dir}, name...)...)
			require.NoError(t, os.WriteFile(secret, []byte("secret\n"), 0o600))
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			plant(t, path, secret)
			test(t, path, secret)
		})
	}
}

// disown gives a file to another user, which only root may.
func disown(t *testing.T, path string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may give files away")
	}
	require.NoError(t, os.Chown(path, 65534, 65534))
}

// soon fails where something waits for what others have planted.
func soon(t *testing.T, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		require.FailNow(t, "it waits")
	}
}

func TestLastWords_Planted(t *testing.T) {
	eachPlanted(t, func(t *testing.T, path, _ string) {
		soon(t, func() { require.Empty(t, LastWords(Program{Name: "raylet", LogDir: filepath.Dir(path)})) })
	}, "logs", "raylet.err")
}

func TestClaim_Planted(t *testing.T) {
	eachPlanted(t, func(t *testing.T, path, secret string) {
		session := Session{Dir: filepath.Dir(path)}
		soon(t, func() {
			_, err := claim(Program{LogDir: filepath.Join(session.Dir, "logs")}, "role")
			require.Error(t, err)
			ClaimAll(filepath.Dir(session.Dir), "role")
		})
		require.Empty(t, Session{Dir: filepath.Join(filepath.Dir(session.Dir), "session_2")}.Former("role"))
		text, err := os.ReadFile(secret)
		require.NoError(t, err)
		require.Equal(t, "secret\n", string(text))
	}, "session_1", ownerFile("role"))
}

// A session that is a link to some folder is no place for an owner file.
func TestClaim_LinkedSession(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "home"), 0o755))
	require.NoError(t, os.Symlink("home", filepath.Join(dir, "session_1")))
	_, err := claim(Program{LogDir: filepath.Join(dir, "session_1", "logs")}, "role")
	require.ErrorIs(t, err, unix.ENOTDIR)
	require.NoFileExists(t, filepath.Join(dir, "home", ownerFile("role")))
}

// A session that is used again is the one used last again.
func TestClaim_Anew(t *testing.T) {
	dir := t.TempDir()
	p := Program{LogDir: filepath.Join(dir, "session_1", "logs")}
	require.NoError(t, os.MkdirAll(p.LogDir, 0o755))
	s, err := claim(p, "role")
	require.NoError(t, err)
	file, long := filepath.Join(s.Dir, ownerFile("role")), time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(file, long, long))
	_, err = claim(p, "role")
	require.NoError(t, err)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), info.ModTime(), time.Minute)
}

// Everybody may make a session in Ray's folder, but no one else's is taken for ours.
func TestAdopt_AnotherUsers(t *testing.T) {
	dir := t.TempDir()
	session := filepath.Join(dir, "session_1")
	require.NoError(t, os.Mkdir(session, 0o755))
	disown(t, session)
	ClaimAll(dir, "role")
	require.NoFileExists(t, filepath.Join(session, ownerFile("role")))
}
