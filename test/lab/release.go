package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// release ends every process of the claim and removes all that carries its name.
func (c *claim) release() error {
	defer c.lock.Close()
	if err := c.removeCgroups(); err != nil {
		return err
	}
	if err := c.removeNamespaces(); err != nil {
		return err
	}
	if err := c.removeMachines(); err != nil {
		return err
	}
	if err := c.unmount(); err != nil {
		return err
	}
	return os.RemoveAll(c.dir)
}

// removeCgroups also removes those that systemd-nspawn makes under the same
// name in the trees of v1, where a machine has them.
func (c *claim) removeCgroups() error {
	if err := removeCgroup(c.cgroup); err != nil {
		return err
	}
	trees, err := cgroupMounts("cgroup")
	if err != nil {
		return err
	}
	for _, tree := range trees {
		if err := removeFolders(filepath.Join(tree, c.name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *claim) removeNamespaces() error {
	paths, err := filepath.Glob(namespacePath(c.name + ".*"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		err := ip("netns", "delete", filepath.Base(path))
		if _, gone := os.Lstat(path); err != nil && gone == nil { // its host may have ended and taken it along
			return err
		}
	}
	return nil
}

// unmount unmounts what is mounted in the folder, the last one first.
func (c *claim) unmount() error {
	points, err := mountsIn(c.dir)
	if err != nil {
		return err
	}
	for _, point := range points {
		// A process that was just killed may hold the mount for a moment yet.
		for tries := 0; ; tries++ {
			err := unix.Unmount(point, 0)
			if err == nil {
				break
			}
			if !errors.Is(err, unix.EBUSY) || tries == 200 {
				return fmt.Errorf("cannot unmount %s: %w", point, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

// mountsIn lists the mount points in a folder, the last one made first.
func mountsIn(dir string) ([]string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var points []string
	for line := range strings.Lines(string(mounts)) {
		if point := strings.Fields(line)[1]; strings.HasPrefix(point, dir+"/") {
			points = append(points, point)
		}
	}
	slices.Reverse(points)
	return points, nil
}

// removeMachines removes what a killed systemd-nspawn leaves in /run: folders
// with the machine's name, and a lock with the number of its root folder, which
// is known only while that is mounted.
func (c *claim) removeMachines() error {
	paths, err := filepath.Glob(machinePath(c.name + "-*"))
	if err != nil {
		return err
	}
	roots, err := mountsIn(c.dir)
	if err != nil {
		return err
	}
	for _, root := range roots {
		var stat unix.Stat_t
		if err := unix.Stat(root, &stat); err != nil {
			return err
		}
		paths = append(paths, fmt.Sprintf("/run/systemd/nspawn/locks/inode-%d:%d", stat.Dev, stat.Ino))
	}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

func machinePath(name string) string {
	return filepath.Join("/run/systemd/nspawn/*", name)
}
