package host

import (
	"os"
	"path/filepath"

	"github.com/raynoded/raynoded/daemon/environ"
)

// readElsewhere reads what a login shell would have had and a service has not, and what NCCL reads
// besides. home is that of the user whom Ray runs as.
func readElsewhere(root, home string) []environ.NotApplied {
	const login = "a login shell reads it, and a service does not"
	found := assignments(filepath.Join(root, "etc/environment"), login)
	scripts, _ := filepath.Glob(filepath.Join(root, "etc/profile.d/*.sh"))
	for _, path := range scripts {
		found = append(found, assignments(path, login)...)
	}
	found = append(
		found,
		assignments(filepath.Join(root, "etc/nccl.conf"), "NCCL reads it by itself, for what nobody else has set")...)
	if home != "" {
		found = append(
			found,
			assignments(filepath.Join(root, home, ".nccl.conf"), "NCCL reads it only where it has no NCCL_CONF_FILE")...)
	}
	return found
}

// assignments are those of a file that may be missing.
func assignments(path, why string) []environ.NotApplied {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return environ.Assignments(string(text), path, why)
}
