package child

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// ownCgroup returns the v2 cgroup of this process, and the folders where it may be mounted.
func ownCgroup() (path string, dirs []string, err error) {
	cgroup, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", nil, err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", nil, err
	}
	return locate(string(cgroup), string(mounts))
}

// locate finds our cgroup in /proc/self/cgroup, and its folders by /proc/self/mountinfo. Inside a
// container, the root of a mount may be a cgroup deep in the host's tree; what is below that root
// is below the mount. A path that begins with /../ is outside our cgroup namespace.
func locate(cgroup, mounts string) (path string, dirs []string, err error) {
	for line := range strings.Lines(cgroup) {
		if own, found := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "0::"); found {
			path = own
		}
	}
	if path == "" {
		return "", nil, errors.New("no cgroup v2")
	}
	for line := range strings.Lines(mounts) {
		// 41 31 0:38 ROOT MOUNTPOINT rw - cgroup2 cgroup2 rw
		mount, details, _ := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if !strings.HasPrefix(details, "cgroup2 ") || len(fields) < 5 {
			continue
		}
		below, err := filepath.Rel(unescape(fields[3]), path)
		if err == nil && !strings.HasPrefix(path, "/../") && below != ".." && !strings.HasPrefix(below, "../") {
			dirs = append(dirs, filepath.Join(unescape(fields[4]), below))
		}
	}
	if dirs == nil {
		return "", nil, fmt.Errorf("cgroup v2 %s is not mounted here", path)
	}
	return path, dirs, nil
}

// unescape replaces the octal escapes of mountinfo.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}
