package role

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever a file holds, the answer is a role or complaints, each with a place in
// that file and on one line, and the same the second time.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.toml", "testdata/good/*.toml", "../../etc/raynoded/*.toml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		require.NotEmpty(f, files)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parseOne(data)
		again, errAgain := parseOne(data)
		require.Equal(t, err, errAgain)
		if err == nil {
			require.Equal(t, r.Files, again.Files)
			require.Contains(t, []Kind{Head, Worker, Single, Auto}, r.Kind)
			return
		}
		require.Nil(t, r)
		var problems Problems
		require.ErrorAs(t, err, &problems)
		require.NotEmpty(t, problems)
		for _, p := range problems {
			require.Equal(t, "fuzz.toml", p.File)
			require.GreaterOrEqual(t, p.Line, 1)
			require.LessOrEqual(t, p.Line, 1+strings.Count(string(data), "\n"))
			require.GreaterOrEqual(t, p.Col, 1)
			require.NotEmpty(t, p.Text)
			require.False(t, strings.ContainsAny(p.String(), "\r\n\x00\x1b"), "%q", p.String())
		}
	})
}

func parseOne(data []byte) (*Role, error) {
	return Files{texts: []text{{path: "fuzz.toml", data: data}}}.Load()
}
