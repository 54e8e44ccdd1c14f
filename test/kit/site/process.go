package site

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// Proc is a process of this machine as it was seen once.
type Proc struct {
	PID   int
	State string // the kernel's letter

	parent  int
	started string // tells it from a later one with the same pid
	args    []string
}

func (p Proc) String() string { return fmt.Sprintf("%d %s %s", p.PID, p.State, p.Line()) }

// Line is its command line, with a space at the end.
func (p Proc) Line() string { return strings.Join(p.args, " ") + " " }

// Living says whether it still runs. A zombie does not.
func (p Proc) Living() bool {
	now, err := ReadProcess(p.PID)
	return err == nil && now.started == p.started && now.State != "Z" && now.State != "X"
}

// ReadProcess reads a process from /proc.
func ReadProcess(pid int) (Proc, error) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return Proc{}, err
	}
	line, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return Proc{}, err
	}
	// "7 (name, which may hold brackets) S 1 …"; proc_pid_stat(5) counts the fields from 1.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	args := strings.FieldsFunc(string(line), func(r rune) bool { return r == 0 })
	return Proc{PID: pid, parent: parent, State: fields[0], started: fields[19], args: args}, err
}

// processes are all of this machine, but for those that end meanwhile.
func processes() []Proc {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	var all []Proc
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if p, err := ReadProcess(pid); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// Below are the descendants of a process. raynoded's stay its own: it is their subreaper.
func Below(pid int) []Proc {
	all := processes()
	var found []Proc
	for family := []int{pid}; len(family) > 0; family = family[1:] {
		for _, p := range all {
			if p.parent == family[0] {
				found = append(found, p)
				family = append(family, p.PID)
			}
		}
	}
	return found
}

// marked are the living processes with a folder, or something in it, in their command line or
// environment, but for this process and the programs of the test itself.
func marked(dir string) []Proc {
	var found []Proc
	for _, p := range processes() {
		environ, _ := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/environ")
		entries := strings.Split(string(environ), "\x00")
		has := func(text string) bool {
			return strings.HasSuffix(text, dir) || strings.Contains(text, dir+"/") || strings.Contains(text, dir+".toml")
		}
		if p.PID != os.Getpid() && p.State != "Z" && p.State != "X" && !slices.Contains(entries, ByTest) &&
			(slices.ContainsFunc(p.args, has) || slices.ContainsFunc(entries, has)) {
			found = append(found, p)
		}
	}
	return found
}

// ByTest marks the programs that a test has started itself.
const ByTest = "STARTED_BY=test"

// NodeID is the id of a running node, by its raylet's command line.
func NodeID(t *testing.T, r *Running) string {
	t.Helper()
	for _, arg := range r.Proc(t, Raylet).args {
		if id, found := strings.CutPrefix(arg, "--node_id="); found {
			return id
		}
	}
	require.FailNow(t, "the raylet has no --node_id")
	return ""
}

// Look notes what runs below raynoded just now: none of it may be there after its end.
func (r *Running) Look() []Proc {
	now := Below(r.PID())
	r.Tree = append(r.Tree, now...)
	return now
}

// Proc returns the only process below raynoded whose command line matches a regular expression,
// such as [Raylet].
func (r *Running) Proc(t *testing.T, pattern string) Proc {
	t.Helper()
	var found []Proc
	for _, p := range r.Look() {
		if p.Living() && regexp.MustCompile(pattern).MatchString(p.Line()) {
			found = append(found, p)
		}
	}
	require.Len(t, found, 1, "processes like %s", pattern)
	return found[0]
}

// Ray's programs, by their command lines.
const (
	GCSServer  = `/gcs_server `
	Raylet     = `/raylet/raylet `
	LogMonitor = `/log_monitor\.py `
	Dashboard  = `/dashboard/dashboard\.py `
	RayStart   = `/bin/ray start `
)

// kill kills what is left of a site and says what it was.
func (s *Site) kill(t *testing.T) []Proc {
	t.Helper()
	left := marked(s.Dir)
	for _, p := range left {
		if err := syscall.Kill(p.PID, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
			require.NoError(t, err)
		}
	}
	lab.Until(t, lab.Patience, "the killed are gone", func() bool { return len(marked(s.Dir)) == 0 })
	return left
}
