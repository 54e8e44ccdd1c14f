package host

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/reason"
)

func TestPlace_Lock(t *testing.T) {
	p := Dirs{State: t.TempDir()}
	first, err := p.Lock()
	require.NoError(t, err)
	_, err = p.Lock()
	require.ErrorIs(t, err, reason.ErrBusy)
	require.EqualError(t, err, "another raynoded runs this role: "+p.State+"/lock is locked")
	require.NoError(t, first.Close())
	second, err := p.Lock()
	require.NoError(t, err)
	require.NoError(t, second.Close())
}

// Who can open the file, if only to read it, can hold the lock.
func TestPlace_LockIsForNobodyElse(t *testing.T) {
	p := Dirs{State: t.TempDir()}
	path := filepath.Join(p.State, "lock")
	mode := func() os.FileMode {
		f, err := p.Lock()
		require.NoError(t, err)
		defer f.Close()
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	require.Equal(t, os.FileMode(0o600), mode())
	require.NoError(t, os.Chmod(path, 0o644))
	require.Equal(t, os.FileMode(0o600), mode(), "made by an earlier raynoded")
}

// A command of root's leaves a lock that the unit's user can take.
func TestPlace_LockByRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	p := Dirs{State: t.TempDir()}
	require.NoError(t, os.Chown(p.State, 1234, 1235))
	f, err := p.Lock()
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	require.Equal(t, []uint32{1234, 1235}, []uint32{owner.Uid, owner.Gid})
}

func TestPlace_LockThatCannotBeOpened(t *testing.T) {
	p := Dirs{State: t.TempDir()}
	require.NoError(t, os.Chmod(filepath.Dir(p.State), 0o755))
	path := filepath.Join(p.State, "lock")
	require.NoError(t, os.WriteFile(path, nil, 0o444))
	unprivileged(t)
	_, err := p.Lock()
	require.ErrorIs(t, err, reason.ErrHost)
	require.EqualError(t, err, "this host is not fit: the state folder: open "+path+": permission denied")
}

func TestPlace_LockThatIsALink(t *testing.T) {
	p := Dirs{State: t.TempDir()}
	path, target := filepath.Join(p.State, "lock"), filepath.Join(t.TempDir(), "x")
	require.NoError(t, os.WriteFile(target, nil, 0o644))
	require.NoError(t, os.Symlink(target, path))
	_, err := p.Lock()
	require.EqualError(t, err, "this host is not fit: the state folder: open "+path+": too many levels of symbolic links")
}

// unprivileged has this goroutine open files as nobody, until the end of the test.
func unprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		return
	}
	runtime.LockOSThread()
	require.NoError(t, unix.Setfsuid(65534))
	t.Cleanup(func() {
		require.NoError(t, unix.Setfsuid(0))
		runtime.UnlockOSThread()
	})
}
