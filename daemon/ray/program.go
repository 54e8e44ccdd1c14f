package ray

import (
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
	LogDir string // where it writes its last words; "" = its command line does not say
}

// Identify says which program a command line is. A process between fork and exec still has its
// parent's and is none.
func Identify(args []string) Program {
	if len(args) == 0 {
		return Program{}
	}
	switch filepath.Base(args[0]) {
	case "gcs_server":
		return Program{Name: "gcs_server", Vital: true, LogDir: flag(args, "--log_dir=")}
	case "raylet":
		return Program{Name: "raylet", Vital: true, NodeID: flag(args, "--node_id="), LogDir: flag(args, "--log_dir=")}
	}
	for _, script := range scripts {
		if slices.ContainsFunc(args, func(arg string) bool { return strings.HasSuffix(arg, script.suffix) }) {
			return Program{Name: script.name, LogDir: flag(args, "--logs-dir=", "--log-dir=")}
		}
	}
	return Program{}
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
