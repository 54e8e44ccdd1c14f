package environ

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// assignment is a line that sets a variable, in the manner of a shell. The value ends at the first
// blank outside quotes: what comes after it may be another variable, and a secret.
var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=((?:"[^"]*"|'[^']*'|[^\s"'])*)`)

// ReadElsewhere reads what a login shell would have had and a service has not, and what NCCL reads
// besides. home is that of the user whom Ray runs as.
func ReadElsewhere(root, home string) []NotApplied {
	const login = "a login shell reads it, and a service does not"
	found := assignments(filepath.Join(root, "etc/environment"), login)
	scripts, _ := filepath.Glob(filepath.Join(root, "etc/profile.d/*.sh"))
	for _, path := range scripts {
		found = append(found, assignments(path, login)...)
	}
	found = append(
		found,
		assignments(filepath.Join(root, "etc/nccl.conf"), "NCCL reads it by itself, for what nobody else has set")...)
	if home != "" {
		found = append(
			found,
			assignments(filepath.Join(root, home, ".nccl.conf"), "NCCL reads it only where it has no NCCL_CONF_FILE")...)
	}
	return found
}

// assignments are the variables that a file sets, as far as they matter to training. Scripts are
// not run: what they compute is shown as they say it.
func assignments(path, why string) []NotApplied {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var found []NotApplied
	for line := range strings.Lines(string(text)) {
		m := assignment.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || !trains(m[1]) {
			continue
		}
		value := strings.TrimSuffix(m[2], ";")
		if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		found = append(found, shown(NotApplied{Name: m[1], Value: value, From: path, Why: why}))
	}
	return found
}
