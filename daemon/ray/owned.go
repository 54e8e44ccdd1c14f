package ray

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

var errNotOwned = errors.New("not a file of this user's own")

// openOwned opens a file that belongs to this user. Ray lets everybody write to its folders, so
// others may have put something else in the file's place, such as a link or a pipe. That is an
// error: a link is not followed, and a pipe is not waited for.
func openOwned(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || !ownedByMe(info)) {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotOwned}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// ownedByMe says whether a file belongs to the user that this process runs as.
func ownedByMe(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return known && int(stat.Uid) == os.Geteuid()
}
