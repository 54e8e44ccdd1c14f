package role

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const reference = "../../etc/raynoded"

var (
	setting = regexp.MustCompile(`^# [A-Za-z_]+ = `)
	table   = regexp.MustCompile(`^(# )?\[([a-z_.]+)\]$`)
)

// variants returns the example as it is, and once for each run of commented
// settings with this run in force. Lines of the same run share their table. The
// second result says which variants show nothing but defaults.
func variants(text string) (files []string, defaults []bool) {
	lines := strings.Split(text, "\n")
	files, defaults = []string{text}, []bool{true}
	header := -1
	for i := 0; i < len(lines); i++ {
		if table.MatchString(lines[i]) {
			header = i
		}
		if !setting.MatchString(lines[i]) {
			continue
		}
		variant := append([]string(nil), lines...)
		if header >= 0 {
			variant[header] = strings.TrimPrefix(lines[header], "# ")
		}
		plain := true
		for ; i < len(lines) && setting.MatchString(lines[i]); i++ {
			variant[i] = strings.TrimPrefix(lines[i], "# ")
			plain = plain && !strings.HasSuffix(lines[i], "# example")
		}
		files = append(files, strings.Join(variant, "\n"))
		defaults = append(defaults, plain)
		i--
	}
	return files, defaults
}

// Every example loads, with each of its commented settings as well, and what it
// shows as a default is one.
func TestReference_Loads(t *testing.T) {
	folder, err := filepath.Abs(reference)
	require.NoError(t, err)
	for _, file := range glob(t, filepath.Join(folder, "*.toml")) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		texts, defaults := variants(string(data))
		require.Greater(t, len(texts), 1)
		name := filepath.Base(file)
		shipped := load(t, map[string]string{name: string(data)})
		require.Equal(t, strings.TrimSuffix(name, ".toml"), string(shipped.Kind))
		for i, text := range texts {
			changed := load(t, map[string]string{name: text})
			if defaults[i] {
				require.Equal(t, shipped, changed, text)
			} else {
				require.NotEqual(t, shipped, changed, text)
			}
		}
	}
}

// Every key is in an example, in force or commented.
func TestReference_ShowsEveryKey(t *testing.T) {
	shown := map[string]bool{}
	for _, file := range glob(t, filepath.Join(reference, "*.toml")) {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		prefix := ""
		for line := range strings.Lines(string(data)) {
			line = strings.TrimSpace(line)
			if header := table.FindStringSubmatch(line); header != nil {
				shown[header[2]] = true
				prefix = header[2] + "."
			} else if key, _, found := strings.Cut(strings.TrimPrefix(line, "# "), " = "); found {
				shown[prefix+key] = true
			}
		}
	}
	for _, key := range knownKeys(reflect.TypeFor[Role](), "") {
		require.True(t, shown[key], "%s is in no example of %s", key, reference)
	}
}
