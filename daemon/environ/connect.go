package environ

import (
	"fmt"
	"strconv"
	"strings"
)

// How often, and after which pause, a process of Ray's tries to reach its raylet, and a raylet its
// own object store. In one start of Ray in three the raylet is a moment earlier than the store's
// thread, and sleeps for the whole pause: 12 of 36 starts of 2.9.3, 2.40.0 and 2.60.0 took 1 s
// longer with Ray's own 10 times 1,000 ms, 0 of 34 with as much patience in short steps.
const (
	connectPause    = "RAY_raylet_client_connect_timeout_milliseconds"
	connectAttempts = "RAY_raylet_client_num_connect_attempts"
)

// longPause is where a pause, in milliseconds, is warned of: Ray's own.
const longPause = 1000

// addConnect sets both, where nobody says anything of either: one of ours with one of theirs would
// make Ray's patience another than anybody meant. Ray takes its system_config before its
// environment.
func (l *layers) addConnect(config map[string]any) {
	for _, name := range []string{connectPause, connectAttempts} {
		_, set := l.values[name]
		key := strings.TrimPrefix(name, "RAY_")
		value, configured := config[key]
		if name == connectPause && configured {
			if doubt := long(fmt.Sprint(value)); doubt != "" {
				l.warnings = append(l.warnings, "ray.system_config."+key+": "+doubt)
			}
		}
		if set || configured {
			return
		}
	}
	const origin = "default: a raylet may be there before its store"
	l.set(base, connectPause, "20", origin)
	l.set(base, connectAttempts, "500", origin)
}

// long says what is wrong with a pause; "" = nothing.
func long(pause string) string {
	ms, err := strconv.Atoi(pause)
	if err != nil || ms < longPause {
		return ""
	}
	return fmt.Sprintf("one start of Ray in three takes %g s longer by it: without it Ray is given 20, and 500 attempts",
		float64(ms)/1000)
}
