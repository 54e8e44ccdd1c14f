package host

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/role"
)

// Ray keeps the token that it was started with, whatever comes into the file of the role meanwhile.
func TestPlace_KeepToken(t *testing.T) {
	dir := t.TempDir()
	dirs, file := Dirs{Run: dir}, filepath.Join(dir, "token")
	for _, c := range []struct{ mode, kept os.FileMode }{{0o640, 0o640}, {0o600, 0o600}, {0o460, 0o640}} {
		require.NoError(t, os.WriteFile(file, []byte("first\n"), 0o600))
		require.NoError(t, os.Chmod(file, c.mode))
		require.NoError(t, dirs.WriteRayToken(Token{gcs.NewToken("first\n"), file}))
		kept := dirs.rayTokenOf(file)
		require.Equal(t, filepath.Join(dir, "ray-token"), kept)
		info, err := os.Stat(kept)
		require.NoError(t, err)
		require.Equal(t, c.kept, info.Mode().Perm())
		require.NoError(t, os.Chmod(file, 0o600))
		require.NoError(t, os.WriteFile(file, []byte("second\n"), 0o600))
		text, err := os.ReadFile(kept)
		require.NoError(t, err)
		require.Equal(t, "first", string(text))
	}
	require.NoError(t, os.Remove(file))
	require.EqualError(
		t, dirs.WriteRayToken(Token{gcs.NewToken("first"), file}),
		"this host is not fit: the runtime folder: cannot keep the token: stat "+file+": no such file or directory",
	)
}

// Ray finds a token that systemd keeps where it finds one of a file: a job sends the path to hosts
// that have theirs the other way.
func TestPlace_KeepToken_Credential(t *testing.T) {
	dirs, r := Dirs{Run: t.TempDir()}, newRole(role.Worker)
	r.Auth.Mode = role.Token
	credentials := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	file := filepath.Join(credentials, "ray-token")
	require.NoError(t, os.WriteFile(file, []byte("of-systemd"), 0o400))
	token, err := ReadToken(r)
	require.NoError(t, err)
	require.NoError(t, dirs.WriteRayToken(token))
	kept := dirs.rayTokenOf(token.File)
	require.Equal(t, filepath.Join(dirs.Run, "ray-token"), kept)
	text, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Equal(t, "of-systemd", string(text))
	info, err := os.Stat(kept)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// Who has no token is given no file.
func TestPlace_KeepToken_None(t *testing.T) {
	dirs := Dirs{Run: t.TempDir()}
	require.NoError(t, dirs.WriteRayToken(Token{}))
	require.Empty(t, dirs.rayTokenOf(""))
	require.Empty(t, listing(t, dirs.Run))
}
