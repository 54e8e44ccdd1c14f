package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/reason"
)

// Lock keeps a second raynoded from running the same role. Closing the file unlocks. The file is
// in the state folder, because systemd removes the runtime folder whenever a unit ends, even one
// that this lock has refused.
func (d Dirs) Lock() (*os.File, error) {
	f, err := d.openLock()
	if err != nil {
		return nil, reason.Unfit("the state folder", "%w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	_ = f.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, fmt.Errorf("%w: %s is locked", reason.ErrBusy, f.Name())
	}
	return nil, reason.Unfit("the state folder", "cannot lock %s: %w", f.Name(), err)
}

// openLock opens the file so that no other user may. A user who can read it could hold the lock
// and keep this node from starting.
func (d Dirs) openLock() (*os.File, error) {
	path, secure := filepath.Join(d.State, "lock"), d.giveToOwner
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, os.ErrExist) {
		secure = restrict
		f, err = os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	}
	if err != nil {
		return nil, err
	}
	if err := secure(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// giveToOwner gives a file that root has made to the owner of the state folder, whose unit runs
// the role.
func (d Dirs) giveToOwner(f *os.File) error {
	info, err := os.Stat(d.State)
	if err != nil || os.Getuid() != 0 {
		return err
	}
	folder := info.Sys().(*syscall.Stat_t)
	if folder.Uid == 0 {
		return nil
	}
	return f.Chown(int(folder.Uid), int(folder.Gid))
}

// restrict takes from other users the access that an earlier raynoded gave them, if the file is
// ours.
func restrict(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Mode().Perm()&0o077 == 0 || int(info.Sys().(*syscall.Stat_t).Uid) != os.Getuid() {
		return err
	}
	return f.Chmod(0o600)
}
