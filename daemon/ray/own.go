package ray

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

var errNotOwn = errors.New("not a file of this user's own")

// openOwn opens a file of this user's. Ray lets everybody write into its folders: what others have
// put in the file's place, such as a link or a pipe, is neither followed nor waited for, and is an
// error.
func openOwn(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || !own(info)) {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotOwn}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

func own(info fs.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return known && int(stat.Uid) == os.Geteuid()
}
