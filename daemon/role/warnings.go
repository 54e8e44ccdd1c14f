package role

import (
	"fmt"
	"strings"
	"time"
)

const (
	// UnitStopTimeout is the TimeoutStopSec of the units, after which systemd kills a node that is
	// still stopping.
	UnitStopTimeout = 15 * time.Minute

	// stopMargin is what a stop may take beside the drain and the grace.
	stopMargin = 30 * time.Second
)

// Warnings are about what is valid and hardly meant, a line each. The text alone decides: none
// looks at this host. The unit is the one that runs the role, such as "raynoded.service".
func (r *Role) Warnings(unit string) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if needs := r.stopTime(); needs > UnitStopTimeout {
		add(`a stop may take %s (stop.drain, stop.grace and 30s), and systemd kills the node after %s: `+
			`systemctl edit %s, with "[Service]" and "TimeoutStopSec=%d"`,
			Duration{needs}.text(), Duration{UnitStopTimeout}.text(), unit, int(needs/time.Second)+1)
	}
	if r.Kind == Single {
		return all
	}
	if r.Node.Interface == "lo" && !r.headIsHere() {
		add(`node.interface is "lo": other hosts only reach this one by it if it has an address that is routed here`)
	}
	if isLoopback(r.Node.IP) && !r.headIsHere() {
		add("node.ip is %s, which other hosts cannot reach", r.Node.IP)
	}
	return all
}

// stopTime is the longest that a stop takes. Only a worker drains.
func (r *Role) stopTime() time.Duration {
	total := r.Stop.Grace.Duration + stopMargin
	if r.Kind == Worker || r.Kind == Auto {
		total += r.Stop.Drain.Duration
	}
	return total
}

// headIsHere reports whether the head's address says that all nodes are on this host.
func (r *Role) headIsHere() bool {
	host := strings.ToLower(r.Cluster.Head.Host)
	return isLoopback(host) || host == "localhost" || strings.HasSuffix(host, ".localhost")
}
