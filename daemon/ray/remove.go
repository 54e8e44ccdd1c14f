package ray

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxDepth is how deeply folders may be nested in a session that is to be removed. Each level
// keeps a descriptor open, and everybody may make folders there.
const maxDepth = 100

var errDeep = errors.New("folders are nested too deeply")

// folder is an open folder. Its contents are reached only through its descriptor. If others put a
// link or a pipe in its place meanwhile, it is neither followed nor waited for.
type folder struct{ *os.File }

func (f folder) open(name string) (folder, error) {
	fd, err := unix.Openat(int(f.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return folder{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return folder{os.NewFile(uintptr(fd), name)}, nil //nolint:gosec // no negative one
}

// remove removes a file or an empty folder. An entry that is missing counts as removed.
func (f folder) remove(name string) error {
	err := unix.Unlinkat(int(f.Fd()), name, 0)
	if errors.Is(err, unix.EISDIR) {
		err = unix.Unlinkat(int(f.Fd()), name, unix.AT_REMOVEDIR)
	}
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	return &fs.PathError{Op: "remove", Path: name, Err: err}
}

// Remove removes a session of the owner, one entry after another, and follows no link. The owner
// file goes last: if ctx ends, or something cannot be removed, the rest still belongs to the
// owner.
func (s Session) Remove(ctx context.Context, owner string) error {
	file, err := os.OpenFile(filepath.Dir(s.Dir), os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	parent := folder{file}
	defer parent.Close()
	dir, err := parent.open(filepath.Base(s.Dir))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.empty(ctx, ownerFile(owner), maxDepth); err != nil {
		return err
	}
	if err := dir.remove(ownerFile(owner)); err != nil {
		return err
	}
	if err := parent.remove(filepath.Base(s.Dir)); err != nil {
		_ = s.writeOwnerFile(owner, os.O_CREATE, s.used) // another user has just put something there
		return err
	}
	return nil
}

// empty removes everything in a folder except the entry called but. It reads the folder once, so
// that somebody who fills it meanwhile cannot keep it busy. If an entry cannot be removed, it goes
// on with the rest and returns the first error.
func (f folder) empty(ctx context.Context, but string, levels int) error {
	if levels == 0 {
		return errDeep
	}
	var failed error
	for {
		names, err := f.Readdirnames(100)
		for _, name := range names {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if name == but {
				continue
			}
			if err := f.removeTree(ctx, name, levels); err != nil && failed == nil {
				failed = err
			}
		}
		if errors.Is(err, io.EOF) {
			return failed
		}
		if err != nil {
			return err
		}
	}
}

// removeTree removes an entry and, if it is a folder, its contents.
func (f folder) removeTree(ctx context.Context, name string, levels int) error {
	err := f.remove(name)
	if !errors.Is(err, unix.ENOTEMPTY) {
		return err
	}
	inner, err := f.open(name)
	if err != nil {
		return err
	}
	defer inner.Close()
	if err := inner.empty(ctx, "", levels-1); err != nil {
		return err
	}
	return f.remove(name)
}
