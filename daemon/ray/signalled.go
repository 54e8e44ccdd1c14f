package ray

import "strings"

// Signalled says whether a raylet's log has that it got a SIGTERM. It ends with code 0 then, and
// the GCS calls its end expected (Ray 2.9.3, 2.40 and 2.60).
func Signalled(p Program) bool {
	for _, line := range append(lines(p.Stdout), lines(p.Stderr)...) {
		if strings.Contains(line, "eceived SIGTERM") && !strings.Contains(line, "already") {
			return true
		}
	}
	return false
}
