package host

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/lab"
)

// State are properties of a unit, as `systemctl show` prints them. In a wanted value * stands for
// anything.
type State map[string]string

// The states of a unit that most tests want.
var (
	Up      = State{"ActiveState": "active", "SubState": "running"}
	Down    = State{"ActiveState": "inactive", "SubState": "dead", "Result": "success", "ExecMainStatus": "0"}
	Waiting = State{"ActiveState": "activating", "SubState": "start"}
)

// With is the state with one more property.
func (want State) With(name, value string) State {
	more := State{name: value}
	for name, value := range want {
		more[name] = value
	}
	return more
}

func (want State) names() []string {
	var names []string
	for name := range want {
		names = append(names, name)
	}
	return names
}

func (want State) matches(got map[string]string) bool {
	for name, value := range want {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(value), `\*`, ".*")
		if !regexp.MustCompile("^" + pattern + "$").MatchString(got[name]) {
			return false
		}
	}
	return true
}

// RequireState fails the test unless a unit is just now as wanted.
func (h *Host) RequireState(t *testing.T, unit string, want State) {
	t.Helper()
	got := h.Show(t, unit, want.names()...)
	require.True(t, want.matches(got), "%s on %s must be %v, is %v", unit, h.Name, want, got)
}

// Await asks systemd until a unit is as wanted.
func (h *Host) Await(t *testing.T, unit string, want State) {
	t.Helper()
	const pause = 50 * time.Millisecond // each question is a process in the host
	for started := time.Now(); ; time.Sleep(pause) {
		got := h.Show(t, unit, want.names()...)
		if want.matches(got) {
			return
		}
		if time.Since(started) > lab.Patience {
			require.FailNow(t, unit+" on "+h.Name+" does not become what it must", "want %v, got %v", want, got)
		}
	}
}

// Since is the time from a moment of [Clock] to when systemd last saw the unit enter a state:
// "ActiveEnter", "InactiveEnter".
func (h *Host) Since(t *testing.T, began time.Duration, unit, moment string) time.Duration {
	t.Helper()
	property := moment + "TimestampMonotonic"
	micros, err := strconv.ParseInt(h.Show(t, unit, property)[property], 10, 64)
	require.NoError(t, err)
	return time.Duration(micros)*time.Microsecond - began
}

// Clock is the machine's monotonic clock, by which the systemd of every host notes when a unit
// changed.
func Clock(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return time.Duration(now.Nano())
}
