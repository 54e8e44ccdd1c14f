package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Leftovers lists what the networks of this process still have on the machine:
// folders, mounts, network namespaces, cgroups. With every network gone it must
// be empty; processes count through their cgroup.
func Leftovers() ([]string, error) {
	l, err := Find()
	if err != nil {
		return nil, err
	}
	trees, err := cgroupMounts("cgroup", "cgroup2")
	if err != nil {
		return nil, err
	}
	mine := fmt.Sprintf("raynoded-%d-*", os.Getpid())
	left, err := mountsIn(l.hosts())
	if err != nil {
		return nil, err
	}
	prefix := filepath.Join(l.hosts(), strings.TrimSuffix(mine, "*"))
	left = slices.DeleteFunc(left, func(mount string) bool { return !strings.HasPrefix(mount, prefix) })
	patterns := []string{filepath.Join(l.hosts(), mine), namespacePath(mine), machinePath(mine)}
	for _, tree := range trees {
		patterns = append(patterns, filepath.Join(tree, mine))
	}
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		left = append(left, paths...)
	}
	return left, nil
}
