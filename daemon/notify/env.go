package notify

import "strings"

// ours are the variables that systemd addresses to the unit's main process. An
// entry that ends in _ stands for all names that begin so.
var ours = []string{
	"NOTIFY_SOCKET",    // whoever has it can end the unit's start, or the unit
	"WATCHDOG_",        // the keep-alive is wanted of us alone
	"LISTEN_",          // socket activation: descriptors that they do not have
	"FDSTORE",          // goes with NOTIFY_SOCKET
	"JOURNAL_STREAM",   // says what our stderr is, not theirs
	"MAINPID",          // us; only set in ExecReload= and the like
	"MANAGERPID",       // of a user's service manager, not theirs to talk to
	"SYSTEMD_EXEC_PID", // us
}

// ChildEnv returns env without what systemd says to us and to nobody else. What
// is as true of a child as of us stays: INVOCATION_ID (a child belongs to the same
// run of the unit), and CREDENTIALS_DIRECTORY with RUNTIME_DIRECTORY and its like
// (the files are the unit's user's, so hiding the path would protect nothing).
// Ray and the job do not get theirs from here, see daemon/environ.
func ChildEnv(env []string) []string {
	var kept []string
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if !isOurs(name) {
			kept = append(kept, entry)
		}
	}
	return kept
}

func isOurs(name string) bool {
	for _, o := range ours {
		if name == o || strings.HasSuffix(o, "_") && strings.HasPrefix(name, o) {
			return true
		}
	}
	return false
}
