//go:build systemd

package packages

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/lab"
)

// unpack is a folder with what a .deb installs.
func unpack(t *testing.T, deb string) string {
	t.Helper()
	lab.Need(t, lab.Program("dpkg-deb"))
	root := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--extract", deb, root).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return root
}

// TestPackage_Lintian wants nothing to be said of the .deb, hints and pedantry included: what is
// overridden has its reason in packaging/lintian-overrides.
func TestPackage_Lintian(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("lintian"))
	out, err := exec.CommandContext(t.Context(), "lintian", append([]string{
		"--allow-root", "--no-cfg", "--tag-display-limit=0", "--display-info", "--pedantic",
	}, dist.Packages(t, "*.deb")...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Empty(t, string(out))
}

// TestPackage_RPMLint wants nothing to be said of the .rpm: what is filtered has its reason in
// packaging/rpmlint.toml.
func TestPackage_RPMLint(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("rpmlint"), lab.Program("cpio"))
	home := t.TempDir() // rpm and its spelling checker write there
	cpio, err := exec.LookPath("cpio")
	require.NoError(t, err)
	// rpmlint unpacks with a plain cpio, and the names in our payload begin with a slash: as root that
	// would be an installation.
	require.NoError(t, os.WriteFile(filepath.Join(home, "cpio"),
		[]byte("#!/bin/sh\nexec "+cpio+" --no-absolute-filenames \"$@\"\n"), 0o755))
	packages := dist.Packages(t, "*.rpm")
	cmd := exec.CommandContext(
		t.Context(),
		"rpmlint",
		append([]string{"--config", lab.File(t, "packaging/rpmlint.toml")}, packages...)...)
	cmd.Env = append(os.Environ(), "HOME="+home, "PATH="+home+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(
		t, string(out), fmt.Sprintf(" %d packages and 0 specfiles checked; 0 errors, 0 warnings, ", len(packages)),
	)
}

// TestPackage_ARM64 runs the program of the arm64 package, by emulation.
func TestPackage_ARM64(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("qemu-aarch64"))
	root := unpack(t, dist.Packages(t, "*_arm64.deb")[0])
	program := filepath.Join(root, "usr/bin/raynoded")
	file, err := elf.Open(program)
	require.NoError(t, err)
	defer file.Close()
	require.Equal(t, elf.EM_AARCH64, file.Machine)
	libraries, err := file.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)

	arm := func(args ...string) (string, int) {
		cmd := exec.CommandContext(t.Context(), "qemu-aarch64", append([]string{program}, args...)...)
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil {
			require.NoError(t, err)
		}
		return string(out), cmd.ProcessState.ExitCode()
	}
	said, code := arm("version")
	require.Zero(t, code, said)
	require.Contains(t, said, "linux/arm64)\n")
	examples, err := filepath.Glob(filepath.Join(root, "usr/share/raynoded/examples/*.toml"))
	require.NoError(t, err)
	require.Len(t, examples, 4)
	for _, path := range examples {
		said, code := arm("check", path)
		require.Zero(t, code, said)
		require.True(t, strings.HasPrefix(said, path+": good: "), said)
	}
	said, code = arm("check", lab.File(t, "daemon/role/testdata/bad/ten_mistakes.toml"))
	require.Equal(t, 78, code)
	require.Equal(t, 10, strings.Count(said, "ten_mistakes.toml:"), said)
}
