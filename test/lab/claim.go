package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// claim is a name that nothing else on this machine carries, and a folder of
// that name. The kernel drops the lock on it when its process dies, however it
// dies: that is how the next one knows that it may clean up.
type claim struct {
	name   string // raynoded-PID-RANDOM
	dir    string
	cgroup string
	lock   *os.File
}

// newClaim takes a name, and first cleans up after processes that died.
func (l *Lab) newClaim() (*claim, error) {
	tree, err := cgroupMount()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(l.piece("hosts"), 0o755); err != nil {
		return nil, err
	}
	// Between the making of a folder and the lock on it nobody may clean up.
	gate, err := lockFile(filepath.Join(l.hosts(), "lock"), os.O_CREATE, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer gate.Close()
	if err := l.cleanDead(tree); err != nil {
		return nil, fmt.Errorf("cannot clean up after a test that died: %w", err)
	}
	dir, err := os.MkdirTemp(l.hosts(), fmt.Sprintf("raynoded-%d-", os.Getpid()))
	if err != nil {
		return nil, err
	}
	c := claimOf(dir, tree)
	c.lock, err = lockFile(filepath.Join(dir, "lock"), os.O_CREATE, unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	return c, os.Mkdir(c.cgroup, 0o755)
}

func claimOf(dir, tree string) *claim {
	name := filepath.Base(dir)
	return &claim{name: name, dir: dir, cgroup: filepath.Join(tree, name)}
}

func (l *Lab) cleanDead(tree string) error {
	dirs, err := filepath.Glob(filepath.Join(l.hosts(), "raynoded-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		dead := claimOf(dir, tree)
		dead.lock, err = lockFile(filepath.Join(dir, "lock"), 0, unix.LOCK_EX|unix.LOCK_NB)
		if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, fs.ErrNotExist) && dead.ownerLives() {
			continue // In use, or its owner is just removing it.
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // Without a lock it is one that died young.
			return err
		}
		if err := dead.release(); err != nil {
			return err
		}
	}
	return nil
}

func (c *claim) ownerLives() bool {
	var pid int
	_, err := fmt.Sscanf(c.name, "raynoded-%d-", &pid)
	return err == nil && unix.Kill(pid, 0) == nil
}

func lockFile(path string, create, how int) (*os.File, error) {
	f, err := os.OpenFile(path, create|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	return f, nil
}
