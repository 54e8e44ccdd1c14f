//go:build ray

package ray

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/test/lab"
)

// TestSchema has taplo, which editors use, hold role files against the schema that the package
// ships.
func TestSchema(t *testing.T) {
	taplo := lab.Taplo(t)
	text, err := role.NewSchema().JSON()
	require.NoError(t, err)
	schema := filepath.Join(t.TempDir(), "role.schema.json")
	require.NoError(t, os.WriteFile(schema, text, 0o600))
	lint := func(file string) (said string, ok bool) {
		out, err := exec.CommandContext(t.Context(), taplo, "lint", "--no-auto-config", "--schema", "file://"+schema, file).
			CombinedOutput()
		return string(out), err == nil
	}

	good, err := filepath.Glob(lab.File(t, "daemon/role/testdata/good/*.toml"))
	require.NoError(t, err)
	examples, err := filepath.Glob(lab.File(t, "etc/raynoded/*.toml"))
	require.NoError(t, err)
	require.Greater(t, len(good), 5)
	require.Len(t, examples, 4)
	for _, file := range append(good, examples...) {
		if filepath.Base(file) == "windows.toml" {
			continue // begins with a byte order mark, which taplo cannot read
		}
		said, ok := lint(file)
		require.True(t, ok, said)
	}

	said, ok := lint(lab.File(t, "daemon/role/testdata/bad/ten_mistakes.toml"))
	require.False(t, ok)
	for _, complaint := range []string{
		`"heads" is not one of ["head","worker","single","auto"]`,
		`"gpu-001" does not match`,
		`"four" is not of type "integer"`,
		`-1 is less than the minimum of 0`,
		`"64G" does not match`,
		`Additional properties are not allowed ('intervall' was unexpected)`,
	} {
		require.Contains(t, said, complaint)
	}
}
