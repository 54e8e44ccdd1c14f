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

// deepest is how deep folders may lie in a session that is to be removed: each costs two descriptors meanwhile, and everybody
// may make some.
const deepest = 100

var errDeep = errors.New("too many folders in one another")

// Remove removes a session of owner's, one entry after another and nothing behind a link. The mark goes last: what is left
// when ctx ends, or fails to go, is owner's still.
func (s Session) Remove(ctx context.Context, owner string) error {
	parent, err := os.OpenRoot(filepath.Dir(s.Dir))
	if err != nil {
		return err
	}
	defer parent.Close()
	dir, err := parent.OpenRoot(filepath.Base(s.Dir))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := empty(ctx, dir, mark(owner), deepest); err != nil {
		return err
	}
	if err := dir.Remove(mark(owner)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := parent.Remove(filepath.Base(s.Dir)); err != nil {
		_ = s.mark(owner, os.O_CREATE, s.used) // somebody has just put something there
		return err
	}
	return nil
}

// empty removes what is in a folder but for one entry. It reads the folder once, so who fills it meanwhile does not keep it
// here; what cannot be removed does not keep it from the rest.
func empty(ctx context.Context, dir *os.Root, but string, levels int) error {
	if levels == 0 {
		return errDeep
	}
	list, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer list.Close()
	var failed error
	for {
		names, err := list.Readdirnames(100)
		for _, name := range names {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if name == but {
				continue
			}
			if err := take(ctx, dir, name, levels); err != nil && failed == nil {
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
func take(ctx context.Context, dir *os.Root, name string, levels int) error {
	err := dir.Remove(name)
	if errors.Is(err, unix.ENOTEMPTY) {
		err = takeFolder(ctx, dir, name, levels)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func takeFolder(ctx context.Context, dir *os.Root, name string, levels int) error {
	inner, err := dir.OpenRoot(name)
	if err != nil {
		return err
	}
	defer inner.Close()
	if err := empty(ctx, inner, "", levels-1); err != nil {
		return err
	}
	return dir.Remove(name)
}
