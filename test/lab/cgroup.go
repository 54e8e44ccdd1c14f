package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// cgroupMount is where the v2 tree is mounted: on a machine that still has
// controllers on v1 it is a folder of its own, such as /sys/fs/cgroup/unified.
func cgroupMount() (string, error) {
	trees, err := cgroupMounts("cgroup2")
	if err == nil && len(trees) == 0 {
		err = errors.New("no cgroup v2 is mounted here")
	}
	if err != nil {
		return "", err
	}
	return trees[0], nil
}

// cgroupMounts lists where trees of these kinds are mounted.
func cgroupMounts(kinds ...string) ([]string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var trees []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); slices.Contains(kinds, fields[2]) {
			trees = append(trees, fields[1])
		}
	}
	return trees, nil
}

// cgroupOf is the v2 cgroup of a process, as the caller's namespace sees it.
func cgroupOf(proc string) (string, error) {
	data, err := os.ReadFile(filepath.Join(proc, "cgroup"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSuffix(path, "\n"), nil
		}
	}
	return "", fmt.Errorf("%s is in no cgroup of v2", proc)
}

// killCgroup kills every process in the tree at once and waits for their end.
func killCgroup(dir string) error {
	err := os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot kill what is in %s: %w", dir, err)
	}
	const limit, pause = 20 * time.Second, 5 * time.Millisecond
	for wait := newPatience(limit); ; time.Sleep(pause) {
		events, err := os.ReadFile(filepath.Join(dir, "cgroup.events"))
		if err != nil {
			return err
		}
		if strings.Contains(string(events), "populated 0\n") {
			return nil
		}
		if wait.over() {
			return fmt.Errorf("processes in %s are still there %s after SIGKILL", dir, limit)
		}
	}
}

// removeCgroup kills what is in the tree and removes it.
func removeCgroup(dir string) error {
	if err := killCgroup(dir); err != nil {
		return err
	}
	return removeFolders(dir)
}

// removeFolders removes a tree of empty cgroups, the leaves first. A tree that
// is not there is fine.
func removeFolders(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(dirs) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
