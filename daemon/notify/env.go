package notify

import (
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// ChildEnv returns env without the variables by which systemd talks to raynoded alone. What is as
// true of a child as of us stays: INVOCATION_ID (a child belongs to the same run of the unit), and
// CREDENTIALS_DIRECTORY with RUNTIME_DIRECTORY and its like (the files belong to the unit's user,
// so hiding the path would protect nothing). The environment of Ray and the job is not made here,
// but in daemon/environ.
func ChildEnv(env []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return role.IsSystemdVariable(name)
	})
}
