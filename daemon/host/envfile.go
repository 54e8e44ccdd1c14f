package host

import (
	"fmt"
	"os"
	"strings"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/role"
)

const maxEnvFile = 1 << 20 // bytes

// readEnvFile reads a file of env_from.files, or the systemd credential that the entry names.
func readEnvFile(path string, r *role.Role) (environ.File, error) {
	name, isCredential := strings.CutPrefix(path, role.CredentialPrefix)
	if isCredential {
		path = credentialFile(credentials(r), name)
		if path == "" {
			return environ.File{}, fmt.Errorf("there is no systemd credential %s: the unit has none", name)
		}
	}
	return readSettings(path, r.EnvFrom)
}

// readSettings reads a KEY=value file. Nobody but its owner may write it, and others may not read
// it.
func readSettings(path string, from role.EnvFrom) (environ.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return environ.File{}, fmt.Errorf("cannot read it: %w", err)
	}
	switch mode := info.Mode(); {
	case !mode.IsRegular():
		return environ.File{}, fmt.Errorf("%s must be a regular file", path)
	case info.Size() > maxEnvFile:
		return environ.File{}, fmt.Errorf("%s must be at most %d bytes long, got %d", path, maxEnvFile, info.Size())
	case mode.Perm()&0o007 != 0:
		return environ.File{}, fmt.Errorf(
			"everybody on this host may use %s (mode %04o): chmod o= %s", path, mode.Perm(), path,
		)
	case mode.Perm()&0o020 != 0:
		return environ.File{}, fmt.Errorf("its group may write %s (mode %04o): chmod g-w %s", path, mode.Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return environ.File{}, fmt.Errorf("cannot read it: %w", err)
	}
	return environ.ParseFile(path, string(text), from)
}
