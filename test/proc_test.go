//go:build ray

package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// proc is a process of this machine as it was seen once.
type proc struct {
	pid, parent int
	state       string // the kernel's letter
	started     string // tells it from a later one with the same pid
	args        []string
}

func (p proc) String() string { return fmt.Sprintf("%d %s %s", p.pid, p.state, p.line()) }

func (p proc) line() string { return strings.Join(p.args, " ") + " " }

// living says whether it still runs. A zombie does not.
func (p proc) living() bool {
	now, err := readProcess(p.pid)
	return err == nil && now.started == p.started && now.state != "Z" && now.state != "X"
}

func readProcess(pid int) (proc, error) {
	dir := "/proc/" + itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return proc{}, err
	}
	line, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return proc{}, err
	}
	// "7 (name, which may hold brackets) S 1 …"; proc_pid_stat(5) counts the fields from 1.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	parent, err := strconv.Atoi(fields[1])
	args := strings.FieldsFunc(string(line), func(r rune) bool { return r == 0 })
	return proc{pid: pid, parent: parent, state: fields[0], started: fields[19], args: args}, err
}

// processes are all of this machine, but for those that end meanwhile.
func processes() []proc {
	paths, _ := filepath.Glob("/proc/[0-9]*")
	var all []proc
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if p, err := readProcess(pid); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// below are the descendants of a process. raynoded's stay its own: it is their subreaper.
func below(pid int) []proc {
	all := processes()
	var found []proc
	for family := []int{pid}; len(family) > 0; family = family[1:] {
		for _, p := range all {
			if p.parent == family[0] {
				found = append(found, p)
				family = append(family, p.pid)
			}
		}
	}
	return found
}

// marked are the living processes with a folder, or something in it, in their command line or
// environment, but for this process and the programs of the test itself.
func marked(dir string) []proc {
	var found []proc
	for _, p := range processes() {
		environ, _ := os.ReadFile("/proc/" + itoa(p.pid) + "/environ")
		entries := strings.Split(string(environ), "\x00")
		has := func(text string) bool {
			return strings.HasSuffix(text, dir) || strings.Contains(text, dir+"/") || strings.Contains(text, dir+".toml")
		}
		if p.pid != os.Getpid() && p.state != "Z" && p.state != "X" && !slices.Contains(entries, byTest) &&
			(slices.ContainsFunc(p.args, has) || slices.ContainsFunc(entries, has)) {
			found = append(found, p)
		}
	}
	return found
}

// byTest marks the programs that a test has started itself.
const byTest = "STARTED_BY=test"

func itoa(n int) string { return strconv.Itoa(n) }
