package environ

import (
	"fmt"
	"strconv"
	"strings"
)

// These two variables say how often a process of Ray's tries to reach its raylet, and a raylet
// its object store, and how long the pause between two attempts is. In one start of Ray in
// three, the raylet is ready a moment before the thread of its store, and then sleeps for the
// whole pause. With Ray's default of 10 attempts and 1,000 ms, 12 of 36 starts of 2.9.3,
// 2.40.0 and 2.60.0 took 1 s longer; with the same total time in short steps, 0 of 34 did.
const (
	connectPause    = "RAY_raylet_client_connect_timeout_milliseconds"
	connectAttempts = "RAY_raylet_client_num_connect_attempts"
)

// rayPause is Ray's default for the pause, in milliseconds. A pause of this length or more is
// warned of.
const rayPause = 1000

// addConnect sets both variables if neither is set. If one were ours and one a person's, the total
// time would be one that nobody chose. A value in system_config counts as set: Ray reads it before
// its environment.
func (l *layers) addConnect(config map[string]any) {
	for _, name := range []string{connectPause, connectAttempts} {
		_, set := l.values[name]
		key := strings.TrimPrefix(name, "RAY_")
		value, configured := config[key]
		if name == connectPause && configured {
			if doubt := pauseDoubt(fmt.Sprint(value)); doubt != "" {
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

// pauseDoubt says what is wrong with a pause; "" = nothing.
func pauseDoubt(pause string) string {
	ms, err := strconv.Atoi(pause)
	if err != nil || ms < rayPause {
		return ""
	}
	return fmt.Sprintf("one start of Ray in three takes %g s longer by it: without it Ray is given 20, and 500 attempts",
		float64(ms)/1000)
}
