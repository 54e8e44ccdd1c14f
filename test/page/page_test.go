package page

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReplace(t *testing.T) {
	const begin, end = "<!-- written by make it: from here -->\n", "<!-- written by make it: to here -->\n"
	path := filepath.Join(t.TempDir(), "performance.md")
	require.NoError(t, os.WriteFile(path, []byte("above\n"+begin+"old\n"+end+"below\n"), 0o600))
	for _, report := range []string{"new\n", "newer\n"} {
		require.NoError(t, Replace(path, "make it", report))
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "above\n"+begin+"\n"+report+"\n"+end+"below\n", string(text))
	}
	require.NoError(t, os.WriteFile(path, []byte(end+begin), 0o600))
	require.ErrorContains(t, Replace(path, "make it", "new\n"), "performance.md: must have the lines")
}
