package host

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// makePrivate makes this user's folder in /tmp if dir lies in it, and looks whose it is: anybody
// can have made it before.
func (d Dirs) makePrivate(dir string) error {
	if !d.inPrivate(dir) {
		return nil
	}
	if err := os.Mkdir(d.private, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return d.trust(dir)
}

// trust returns an error if others may have put something into dir that this process would follow.
func (d Dirs) trust(dir string) error {
	if !d.inPrivate(dir) {
		return nil
	}
	return owned(d.private, os.Getuid())
}

func (d Dirs) inPrivate(dir string) bool {
	return d.private != "" && strings.HasPrefix(dir, d.private+"/")
}

// owned looks whether a path is a folder of this user's that no other may write to.
func owned(path string, uid int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	not := func(why string, args ...any) error {
		return fmt.Errorf("%s is not this user's own folder: %s", path, fmt.Sprintf(why, args...))
	}
	switch {
	case !info.IsDir():
		return not("it is no folder")
	case owner != uid:
		return not("it belongs to uid %d", owner)
	case info.Mode().Perm()&0o022 != 0:
		return not("others may write to it (mode %04o)", info.Mode().Perm())
	}
	return nil
}
