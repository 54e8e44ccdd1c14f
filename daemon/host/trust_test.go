package host

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/test/lab"
)

// In /tmp anybody can make the folder that will be another user's.
func TestPlace_MakeOwn(t *testing.T) {
	cases := []struct {
		name    string
		prepare func(own string) error
		why     string
	}{
		{"there is none", func(string) error { return nil }, ""},
		{"ours", func(own string) error { return os.Mkdir(own, 0o755) }, ""},
		{"a link", func(own string) error { return os.Symlink(t.TempDir(), own) }, "it is no folder"},
		{"a file", func(own string) error { return os.WriteFile(own, nil, 0o600) }, "it is no folder"},
		{"for the group", func(own string) error { return mkdir(own, 0o770) }, "others may write to it (mode 0770)"},
		{"for everybody", func(own string) error { return mkdir(own, 0o777) }, "others may write to it (mode 0777)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			own := filepath.Join(lab.Folder(t), "raynoded-1000")
			require.NoError(t, c.prepare(own))
			dir := filepath.Join(own, "g")
			p := Dirs{State: dir, Run: dir, Temp: filepath.Join(dir, "ray"), private: own}
			made, recorded := p.Make(), p.Record(End{})
			if c.why == "" {
				require.NoError(t, made)
				require.NoError(t, recorded)
				return
			}
			not := own + " is not this user's own folder: " + c.why
			require.ErrorIs(t, made, reason.ErrHost)
			require.EqualError(t, made, "this host is not fit: the state folder: "+not+", remove it or set XDG_STATE_HOME\n"+
				"this host is not fit: the runtime folder: "+not+", remove it or set XDG_RUNTIME_DIR")
			require.EqualError(t, recorded, not)
			require.EqualError(
				t, p.makeTemp(newRole("worker")), "this host is not fit: ray.temp_dir: "+not+", remove it or set ray.temp_dir",
			)
			elsewhere := t.TempDir()
			require.NoError(
				t, Dirs{State: elsewhere, Run: elsewhere, private: own}.Make(), "where it is not used it does no harm",
			)
		})
	}
	own := filepath.Join(t.TempDir(), "raynoded-1000")
	require.NoError(t, Dirs{State: own + "/g", Run: own + "/g", private: own}.Make())
	info, err := os.Stat(own)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

func TestOwned_ByAnother(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, owned(dir, os.Getuid()))
	require.EqualError(
		t, owned(dir, os.Getuid()+1),
		fmt.Sprintf("%s is not this user's own folder: it belongs to uid %d", dir, os.Getuid()),
	)
}

// mkdir makes a folder with a mode that no umask narrows.
func mkdir(dir string, mode os.FileMode) error {
	if err := os.Mkdir(dir, mode); err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}
