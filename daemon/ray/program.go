package ray

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Program is one of the processes that `ray start` leaves behind.
type Program struct {
	// As its log files are named: gcs_server, raylet, monitor, dashboard, log_monitor,
	// ray_client_server; "" of what is not one of Ray\'s.
	Name   string
	Vital  bool   // without it there is no node: gcs_server and raylet. Its agents take the raylet with them
	NodeID string // of a raylet, hex, as the GCS lists it; "" before Ray 2.40, whose raylets make their own
	LogDir string // the folder of its logs; "" = its command line does not say
	Stdout string // the file that its standard output goes to, "" = not known
	Stderr string
}

// Identify says which program a command line is. A process between fork and exec still has its
// parent's and is none.
func Identify(args []string) Program {
	if len(args) == 0 {
		return Program{}
	}
	switch filepath.Base(args[0]) {
	case "gcs_server":
		return Program{Name: "gcs_server", Vital: true, LogDir: flag(args, "--log_dir=")}.outputs(args)
	case "raylet":
		p := Program{Name: "raylet", Vital: true, NodeID: flag(args, "--node_id="), LogDir: flag(args, "--log_dir=")}
		return p.outputs(args)
	}
	for _, script := range scripts {
		if slices.ContainsFunc(args, func(arg string) bool { return strings.HasSuffix(arg, script.suffix) }) {
			return Program{Name: script.name, LogDir: flag(args, "--logs-dir=", "--log-dir=")}.outputs(args)
		}
	}
	return Program{}
}

// outputs is the program with the files of its output, as its command line has them. Older Ray says
// nothing of them there (2.40 and before).
func (p Program) outputs(args []string) Program {
	p.Stdout = flag(args, "--stdout_filepath=", "--stdout-filepath=")
	p.Stderr = flag(args, "--stderr_filepath=", "--stderr-filepath=")
	return p
}

// Of is the program with the files of its output, of which the second node of a session has others
// than the first: raylet.1.err. Where the command line does not say, the process that it is has
// them open; and where that is gone, they are taken to be the first node's.
func (p Program) Of(pid int) Program {
	p.Stdout = cmp.Or(p.Stdout, p.open(pid, 1), p.log("out"))
	p.Stderr = cmp.Or(p.Stderr, p.open(pid, 2), p.log("err"))
	return p
}

// open is what a descriptor of the process is open at, if that is one of the program's logs.
func (p Program) open(pid, fd int) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	if err != nil || p.LogDir == "" || filepath.Dir(path) != filepath.Clean(p.LogDir) {
		return ""
	}
	return path
}

func (p Program) log(suffix string) string {
	if p.LogDir == "" {
		return ""
	}
	return filepath.Join(p.LogDir, p.Name+"."+suffix)
}

// scripts are Ray's Python programs by the end of an argument of theirs.
var scripts = []struct{ suffix, name string }{
	{"/autoscaler/_private/monitor.py", "monitor"},
	{"/dashboard/dashboard.py", "dashboard"},
	{"/_private/log_monitor.py", "log_monitor"},
	{"ray.util.client.server", "ray_client_server"},
}

func flag(args []string, prefixes ...string) string {
	for _, arg := range args {
		for _, prefix := range prefixes {
			if value, found := strings.CutPrefix(arg, prefix); found {
				return value
			}
		}
	}
	return ""
}
