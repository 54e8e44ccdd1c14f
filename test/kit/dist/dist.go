// Package dist has what is installed: the packages that make package has left in dist/, and newer
// ones of the same source.
package dist

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// RPM returns the .rpm of this machine's architecture that belongs to the newest .deb. The test is
// skipped where there is none.
func RPM(t *testing.T) string {
	t.Helper()
	found := Packages(t, "raynoded-*."+RPMArch(t)+".rpm")
	require.Len(t, found, 1)
	return found[0]
}

// RPMArch is this machine's architecture as rpm calls it, such as x86_64.
func RPMArch(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("uname", "-m").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// VersionOf is the version in the name of an .rpm, raynoded-VERSION-RELEASE.ARCH.rpm.
func VersionOf(t *testing.T, file string) string {
	t.Helper()
	parts := strings.Split(filepath.Base(file), "-")
	require.Len(t, parts, 3)
	return parts[1]
}

// Packages are the packages, of names like a pattern of [filepath.Match], in the folder with the
// newest .deb. The test is skipped where there is none.
func Packages(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(lab.Package(t)), pattern))
	require.NoError(t, err)
	require.NotEmpty(t, found, pattern)
	return found
}
