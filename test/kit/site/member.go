package site

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The roles of most tests. More keys are laid over them as drop-ins. In a role and in whatever else
// a member is given, $HEAD, $NAME, $IP, $BIN, $DIR and $PYTHON are the site's and the member's.
const (
	HeadRole = `role = "head"
` + AnyRole + `
extra_args = ["--include-dashboard=false"]
`
	WorkerRole = `role = "worker"
` + AnyRole
	AnyRole = `
[cluster]
head = "$HEAD"
name = "lab"
join_timeout = "2m"
[node]
name = "$NAME"
ip = "$IP"
[auth]
mode = "none"
[ray]
bin = "$BIN"
num_cpus = 2
num_gpus = 0
object_store_memory = "100MB"
start_timeout = "2m"
dashboard_host = "$IP"
`
)

// QuickStop is for nodes whose end is not what a test is about.
const QuickStop = `stop.grace = "1s"`

// Member is one pretended host: a role file, an address and folders of its own.
type Member struct {
	*Site
	Name string
	IP   string
	Env  []string // of its raynoded; nothing of the test's is added
}

// Member makes a member of a role file, with more files laid over it. The head is the first one of
// a site.
func (s *Site) Member(t *testing.T, name, role string, more ...string) *Member {
	t.Helper()
	s.Members++
	m := &Member{Site: s, Name: name, IP: s.Network + strconv.Itoa(s.Members)}
	m.Env = []string{
		"STATE_DIRECTORY=" + m.Path(), "RUNTIME_DIRECTORY=" + m.Path("run"), "HOME=" + m.Path("home"),
		"PATH=/usr/local/bin:/usr/bin:/bin", "RAY_USAGE_STATS_ENABLED=0",
		"GORACE=atexit_sleep_ms=0", // or each raynoded with the race detector ends a second later than it would
	}
	require.NoError(t, os.MkdirAll(m.Path("home"), 0o755))
	m.Write(t, m.RoleFile(), role)
	for i, text := range more {
		m.Write(t, fmt.Sprintf("%s.d/%d.toml", m.RoleFile(), i), text)
	}
	return m
}

// RoleFile is the path of its role file.
func (m *Member) RoleFile() string { return filepath.Join(m.Dir, m.Name+".toml") }

// Path is a path below its state directory, of which run is the runtime directory.
func (m *Member) Path(parts ...string) string {
	return filepath.Join(append([]string{m.Dir, m.Name}, parts...)...)
}

// Write writes a file, with its folders, for the member's owner to read.
func (m *Member) Write(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(m.fill(text)), 0o600))
}

// fill puts in what only the test knows.
func (m *Member) fill(text string) string {
	return strings.NewReplacer("$HEAD", m.Head, "$NAME", m.Name, "$IP", m.IP, "$BIN", m.Bin, "$DIR", m.Dir,
		"$PYTHON", m.python()).Replace(text)
}
