package notify

import (
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// ChildEnv returns env without what systemd says to raynoded alone. What is as true of a child as
// of raynoded stays: INVOCATION_ID (a child belongs to the same run of the unit), and
// CREDENTIALS_DIRECTORY with RUNTIME_DIRECTORY and its like (the files are the unit's user's, so
// hiding the path would protect nothing). Ray and the job do not get theirs from here, see
// daemon/environ.
func ChildEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return role.IsSystemdVariable(name)
	})
}
