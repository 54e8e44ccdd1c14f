package lab

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mountOverlay mounts a file system on dir/root that starts as lower and keeps
// its changes in dir/upper: the lower one stays as it is, for many hosts.
func mountOverlay(lower, dir string) (string, error) {
	root, upper, work := filepath.Join(dir, "root"), filepath.Join(dir, "upper"), filepath.Join(dir, "work")
	for _, d := range []string{root, upper, work} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return "", err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	mount := func() error { return unix.Mount("overlay", root, "overlay", 0, options) }
	if err := unlessEnding(mount); err != nil {
		return "", fmt.Errorf("cannot mount an overlay over %s: %w", lower, err)
	}
	return root, nil
}
