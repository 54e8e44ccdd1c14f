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

// deepest is how deep folders may lie in a session that is to be removed: each costs a descriptor
// meanwhile, and everybody may make some.
const deepest = 100

var errDeep = errors.New("too many folders in one another")

// folder is one that is open. What is in it is reached through it alone: whatever others put in its
// place meanwhile, a link or a pipe, is neither followed nor waited for.
type folder struct{ *os.File }

func (f folder) open(name string) (folder, error) {
	fd, err := unix.Openat(int(f.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return folder{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return folder{os.NewFile(uintptr(fd), name)}, nil //nolint:gosec // no negative one
}

// remove removes a file, or a folder that is empty. What is not there has been removed.
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

// Remove removes a session of owner's, one entry after another and nothing behind a link. The mark
// goes last: what is left when ctx ends, or fails to go, is owner's still.
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
	if err := dir.empty(ctx, mark(owner), deepest); err != nil {
		return err
	}
	if err := dir.remove(mark(owner)); err != nil {
		return err
	}
	if err := parent.remove(filepath.Base(s.Dir)); err != nil {
		_ = s.mark(owner, os.O_CREATE, s.used) // somebody has just put something there
		return err
	}
	return nil
}

// empty removes what is in a folder but for one entry. It reads the folder once, so who fills it
// meanwhile does not keep it here; what cannot be removed does not keep it from the rest.
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
			if err := f.take(ctx, name, levels); err != nil && failed == nil {
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

// take removes an entry, and what is in it if it is a folder.
func (f folder) take(ctx context.Context, name string, levels int) error {
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
