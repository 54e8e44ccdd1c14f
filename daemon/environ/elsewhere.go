package environ

import (
	"regexp"
	"strings"
)

// assignment is a line that sets a variable, in the manner of a shell. The value ends at the first
// blank outside quotes: what comes after it may be another variable, and a secret.
var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=((?:"[^"]*"|'[^']*'|[^\s"'])*)`)

// Assignments are the variables that a file sets, as far as they matter to training. Scripts are
// not run: what they compute is shown as they say it.
func Assignments(text, path, why string) []NotApplied {
	var found []NotApplied
	for line := range strings.Lines(text) {
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
