package environ

import (
	"regexp"
	"strings"
)

// assignment matches a line that sets a variable, in the syntax of a shell. The value ends at the
// first blank outside quotes: the rest of the line may set another variable, such as a secret.
var assignment = regexp.MustCompile(`^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=((?:"[^"]*"|'[^']*'|[^\s"'])*)`)

// Assignments returns the variables that a file sets, as far as they affect training. It does not
// run scripts: a value that a script computes is shown as the script's text.
func Assignments(text, path, why string) []NotApplied {
	var found []NotApplied
	for line := range strings.Lines(text) {
		m := assignment.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || !affectsTraining(m[1]) {
			continue
		}
		value := strings.TrimSuffix(m[2], ";")
		if n := len(value); n > 1 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		found = append(found, redacted(NotApplied{Name: m[1], Value: value, From: path, Why: why}))
	}
	return found
}
