package host

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// Make makes the state and the runtime folder and proves that they can be written.
func (d Dirs) Make() error {
	return errors.Join(
		d.folder("the state folder", d.State, "XDG_STATE_HOME"),
		d.folder("the runtime folder", d.Run, "XDG_RUNTIME_DIR"),
	)
}

// MakeForRay proves that the state folder's disk has space, and makes the folders that Ray needs:
// its temp_dir and, for a head that keeps its state on this host, the store.
func (d Dirs) MakeForRay(r *role.Role) error {
	problems := []error{checkSpace("the state folder", d.State), d.makeTemp(r)}
	if KeepsState(r) {
		problems = append(problems, d.makeStore())
	}
	return errors.Join(problems...)
}

// KeepsState says whether a role is that of a head whose GCS keeps its state on this host.
func KeepsState(r *role.Role) bool {
	return r.Kind == role.Head && r.Cluster.PersistentHead && r.Cluster.Redis == (role.Address{})
}

// folder makes a folder. another is the setting that would move it elsewhere.
func (d Dirs) folder(key, dir, another string) error {
	if err := d.makePrivate(dir); err != nil {
		return reason.Unfit(key, "%w, remove it or set %s", err, another)
	}
	return makeWritable(key, dir)
}

// makeTemp makes Ray's folder, which must be short and writable.
func (d Dirs) makeTemp(r *role.Role) error {
	dir := d.temp(r)
	if len(dir) > ray.MaxTempDir {
		return reason.Unfit(
			"ray.temp_dir", "%s is %d bytes long, at most %d leave room for Ray's Unix sockets: set a shorter one",
			dir, len(dir), ray.MaxTempDir,
		)
	}
	if err := d.folder("ray.temp_dir", dir, "ray.temp_dir"); err != nil {
		return err
	}
	return checkSpace("ray.temp_dir", dir)
}

// makeStore makes the folder for a persistent head's state. No other user may read it, as it holds
// the environments of jobs.
func (d Dirs) makeStore() error {
	if err := os.MkdirAll(d.store(), 0o700); err != nil {
		return reason.Unfit("the state folder", "cannot make the folder: %w", err)
	}
	return makeWritable("the state folder", d.store())
}

func makeWritable(key, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return reason.Unfit(key, "cannot make the folder: %w", err)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return reason.Unfit(key, "cannot write to %s as uid %d: %w", dir, os.Getuid(), err)
	}
	return nil
}

// checkSpace proves that the disk has space by writing to it. On a full disk, everything but
// writing works.
func checkSpace(key, dir string) error {
	f, err := os.CreateTemp(dir, ".raynoded-")
	if err == nil {
		_, err = f.Write(make([]byte, os.Getpagesize()))
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	var errno syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.As(err, &errno):
		err = errno
	}
	return reason.Unfit(key, "cannot write to %s as uid %d: %w", dir, os.Getuid(), err)
}
