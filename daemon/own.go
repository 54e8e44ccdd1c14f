package daemon

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// claim makes this user's folder in /tmp if dir lies in it, and looks whose it is: anybody can have
// made it before.
func (p Place) claim(dir string) error {
	if !p.inOwn(dir) {
		return nil
	}
	if err := os.Mkdir(p.own, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return p.trust(dir)
}

// trust returns an error if others may have put something into dir that this process would follow.
func (p Place) trust(dir string) error {
	if !p.inOwn(dir) {
		return nil
	}
	return owned(p.own, os.Getuid())
}

func (p Place) inOwn(dir string) bool { return p.own != "" && strings.HasPrefix(dir, p.own+"/") }

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
