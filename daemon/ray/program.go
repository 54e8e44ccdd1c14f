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
	// The name in its log files: gcs_server, raylet, monitor, dashboard, log_monitor or
	// ray_client_server; "" = it is no program of Ray's.
	Name   string
	Vital  bool   // a node cannot do without it: gcs_server, and raylet, which ends with its agents
	NodeID string // a raylet's, in hex, as the GCS lists it; "" before Ray 2.40, whose raylets make it up
	LogDir string // the folder of its logs; "" = its command line does not say
	Stdout string // the file that its standard output goes to; "" = not known
	Stderr string // likewise for its standard error
}

// Identify says which program a command line belongs to. A process between fork and exec still has
// its parent's command line, and is no program of Ray's.
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

// outputs returns the program with the files of its output from its command line. Ray 2.40 and
// older do not name them there.
func (p Program) outputs(args []string) Program {
	p.Stdout = flag(args, "--stdout_filepath=", "--stdout-filepath=")
	p.Stderr = flag(args, "--stderr_filepath=", "--stderr-filepath=")
	return p
}

// WithLogsOf returns the program with the files of its output. The second node of a session has
// other files than the first, such as raylet.1.err. If the command line does not name them, the
// process pid has them open. If that process is gone, they are assumed to be those of the first
// node.
func (p Program) WithLogsOf(pid int) Program {
	p.Stdout = cmp.Or(p.Stdout, p.open(pid, 1), p.log("out"))
	p.Stderr = cmp.Or(p.Stderr, p.open(pid, 2), p.log("err"))
	return p
}

// open returns the file that a descriptor of a process is open on, if it is one of the program's
// logs.
func (p Program) open(pid, fd int) string {
	path, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, fd))
	if err != nil || p.LogDir == "" || filepath.Dir(path) != filepath.Clean(p.LogDir) {
		return ""
	}
	return path
}

// log returns the log file that the first node of a session has for the program.
func (p Program) log(suffix string) string {
	if p.LogDir == "" {
		return ""
	}
	return filepath.Join(p.LogDir, p.Name+"."+suffix)
}

// scripts are Ray's Python programs. Each is recognised by the end of one of its arguments.
var scripts = []struct{ suffix, name string }{
	{"/autoscaler/_private/monitor.py", "monitor"},
	{"/dashboard/dashboard.py", "dashboard"},
	{"/_private/log_monitor.py", "log_monitor"},
	{"ray.util.client.server", "ray_client_server"},
}

// flag returns the value of the first argument with one of the prefixes; "" = there is none.
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
