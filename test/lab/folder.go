package lab

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Folder makes a folder with a path that is short enough for Ray's sockets, as those of t.TempDir
// are not. At the end of the test it goes, with every process that has it in its environment or
// command line. Where the test process was killed, both go with the next Folder on this machine.
func Folder(t testing.TB) string {
	t.Helper()
	require.NoError(t, cleanDeadFolders(), "cannot clean up after a test that died")
	f, err := hold(newFolder)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, drop(f)) })
	return f.path
}

// folder is a folder in /tmp with a lock on itself, which the kernel drops when its process dies.
type folder struct {
	path string
	lock *os.File
}

const (
	folderPattern = "/tmp/rn.*"
	// folderMark is the file in it that makes it ours. It comes after the lock.
	folderMark = ".raynoded-test"
)

func newFolder() (*folder, error) {
	dir, name := filepath.Split(folderPattern)
	path, err := os.MkdirTemp(dir, name)
	if err != nil {
		return nil, err
	}
	lock, err := lockFolder(path, unix.LOCK_EX) // a cleaner may hold it for a moment, and finds no mark
	if err != nil {
		return nil, err
	}
	return &folder{path: path, lock: lock}, os.WriteFile(filepath.Join(path, folderMark), nil, 0o600)
}

func lockFolder(path string, how int) (*os.File, error) {
	lock, err := os.OpenFile(path, unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(lock.Fd()), how); err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

func (f *folder) release() error {
	defer f.lock.Close()
	if err := killMarked(f.path); err != nil {
		return err
	}
	return os.RemoveAll(f.path)
}

func cleanDeadFolders() error {
	paths, err := filepath.Glob(folderPattern)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := cleanDeadFolder(path); err != nil {
			return err
		}
	}
	return nil
}

// cleanDeadFolder leaves alone what is in use, of another user, or not a test's.
func cleanDeadFolder(path string) error {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil || int(stat.Uid) != os.Geteuid() {
		return nil
	}
	lock, err := lockFolder(path, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(path, folderMark)); err != nil {
		return lock.Close()
	}
	return (&folder{path: path, lock: lock}).release()
}
