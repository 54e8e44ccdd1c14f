package daemon

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/raynoded/raynoded"

// rooms is which room may import which. x/sys is free to all.
var rooms = map[string]struct{ own, others []string }{
	"cmd/raynoded": {
		own: []string{
			"daemon", "daemon/child", "daemon/cluster", "daemon/environ", "daemon/host", "daemon/notify", "daemon/reason",
			"daemon/report", "daemon/role",
		},
		others: []string{"github.com/spf13/cobra", "github.com/sirupsen/logrus", "github.com/cpuguy83/go-md2man/v2"},
	},
	"daemon": {
		own: []string{
			"daemon/child", "daemon/cluster", "daemon/environ", "daemon/filewatch", "daemon/gcs", "daemon/host",
			"daemon/notify", "daemon/pause", "daemon/ray", "daemon/reason", "daemon/report", "daemon/role",
			"daemon/watchdog",
		},
		others: []string{"github.com/sirupsen/logrus"},
	},
	"daemon/host": {
		own: []string{"daemon/environ", "daemon/gcs", "daemon/ray", "daemon/reason", "daemon/role"},
	},
	"daemon/cluster": {
		own: []string{
			"daemon/gcs", "daemon/pause", "daemon/ray", "daemon/reason", "daemon/role", "daemon/watchdog",
		},
	},
	"daemon/child":     {},
	"daemon/environ":   {own: []string{"daemon/role"}},
	"daemon/filewatch": {others: []string{"github.com/fsnotify/fsnotify"}},
	"daemon/gcs": {
		own: []string{"daemon/gcs/gcspb"}, others: []string{"google.golang.org/grpc", "google.golang.org/protobuf"},
	},
	"daemon/gcs/gcspb": {others: []string{"google.golang.org/grpc", "google.golang.org/protobuf"}},
	"daemon/notify": {
		own: []string{"daemon/role"}, others: []string{"github.com/coreos/go-systemd/v22"},
	},
	"daemon/pause":    {},
	"daemon/ray":      {own: []string{"daemon/role"}},
	"daemon/reason":   {},
	"daemon/report":   {own: []string{"daemon/role"}},
	"daemon/role":     {others: []string{"github.com/BurntSushi/toml"}},
	"daemon/watchdog": {own: []string{"daemon/reason"}},
}

func TestImports_Table(t *testing.T) {
	for _, tag := range []string{"", "pages"} {
		for room, imports := range imported(t, tag) {
			if strings.HasPrefix(room+"/", "test/") {
				continue
			}
			may, known := rooms[room]
			require.True(t, known, "%s is a new room: give it a line in the table", room)
			for _, path := range imports {
				require.True(t, allowed(may.own, may.others, path), "%s must not import %s", room, path)
			}
		}
	}
}

// What writes the man pages is not in the program.
func TestImports_ManPagesAreNotInTheProgram(t *testing.T) {
	const writer = "github.com/cpuguy83/go-md2man/v2/md2man"
	for tag, in := range map[string]bool{"": false, "pages": true} {
		out, err := exec.Command("go", "list", "-deps", "-tags", tag, module+"/cmd/raynoded").Output()
		require.NoError(t, err)
		require.Equal(t, in, slices.Contains(strings.Fields(string(out)), writer), "with the tags %q", tag)
	}
}

func allowed(own, others []string, path string) bool {
	if inside, ours := strings.CutPrefix(path, module+"/"); ours {
		return slices.Contains(own, inside)
	}
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".") || strings.HasPrefix(path, "golang.org/x/sys/") ||
		slices.ContainsFunc(others, func(other string) bool { return path == other || strings.HasPrefix(path, other+"/") })
}

// imported lists what each package of the module imports, its tests left out.
func imported(t *testing.T, tag string) map[string][]string {
	out, err := exec.Command("go", "list", "-tags", tag, "-json=ImportPath,Imports,GoFiles", module+"/...").Output()
	require.NoError(t, err)
	found := map[string][]string{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
			GoFiles    []string
		}
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if len(p.GoFiles) > 0 {
			found[strings.TrimPrefix(p.ImportPath, module+"/")] = p.Imports
		}
	}
	require.NotEmpty(t, found)
	return found
}

// Of cmd only what wires the daemon and its log knows it.
func TestImports_WhoKnowsTheDaemon(t *testing.T) {
	files, err := filepath.Glob("../cmd/raynoded/*.go")
	require.NoError(t, err)
	var know []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.HasSuffix(file, "_test.go") && strings.Contains(string(text), `"`+module+`/daemon"`) {
			know = append(know, filepath.Base(file))
		}
	}
	require.Equal(t, []string{"logging.go", "run.go"}, know)
}
