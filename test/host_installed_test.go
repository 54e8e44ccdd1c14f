//go:build systemd

package test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/lab"
)

// patience is how long a test waits for what must come, such as a Ray that starts on a machine with
// much to do.
const patience = 90 * time.Second

// unit is the one whose role is /etc/raynoded/role.toml.
const unit = "raynoded.service"

// installed is a booted host with the package on it.
type installed struct{ *lab.Host }

// bootInstalled boots hosts of one Debian side by side and installs the package.
func bootInstalled(t *testing.T, suite string, names ...string) []*installed {
	t.Helper()
	deb := lab.Package(t)
	network := lab.NewNetwork(t)
	var options []lab.HostOptions
	for _, name := range names {
		options = append(options, lab.HostOptions{Name: name, Root: suite, Net: network})
	}
	var all []*installed
	for _, h := range lab.BootAll(t, options...) {
		i := &installed{h}
		i.dpkgInstall(t, deb)
		i.remember(t)
		all = append(all, i)
	}
	return all
}

// remember has systemd keep the properties of units that have ended: it forgets a unit that no
// other unit names.
func (h *installed) remember(t *testing.T) {
	t.Helper()
	h.Put(
		t, "/etc/systemd/system/remember.target", "[Unit]\nAfter=raynoded.service raynoded@a.service raynoded@b.service\n",
		"644",
	)
	h.Sh(t, "systemctl daemon-reload && systemctl start remember.target")
}

func (h *installed) dpkgInstall(t *testing.T, deb string) {
	t.Helper()
	h.Copy(t, deb, "/root/raynoded.deb", "644")
	h.Sh(t, "dpkg --install /root/raynoded.deb && rm /root/raynoded.deb")
}

// is are properties of a unit, as `systemctl show` prints them. In a wanted value * stands for
// anything.
type is map[string]string

// The states of a unit that most tests want.
var (
	up      = is{"ActiveState": "active", "SubState": "running"}
	down    = is{"ActiveState": "inactive", "SubState": "dead", "Result": "success", "ExecMainStatus": "0"}
	waiting = is{"ActiveState": "activating", "SubState": "start"}
)

// with is the state with one more property.
func (want is) with(name, value string) is {
	more := is{name: value}
	for name, value := range want {
		more[name] = value
	}
	return more
}

func (want is) names() []string {
	var names []string
	for name := range want {
		names = append(names, name)
	}
	return names
}

func (want is) matches(got map[string]string) bool {
	for name, value := range want {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(value), `\*`, ".*")
		if !regexp.MustCompile("^" + pattern + "$").MatchString(got[name]) {
			return false
		}
	}
	return true
}

// requireIs compares what a unit is just now.
func (h *installed) requireIs(t *testing.T, unit string, want is) {
	t.Helper()
	got := h.Show(t, unit, want.names()...)
	require.True(t, want.matches(got), "%s on %s must be %v, is %v", unit, h.Name, want, got)
}

// await asks systemd until a unit is as wanted.
func (h *installed) await(t *testing.T, unit string, want is) {
	t.Helper()
	const pause = 50 * time.Millisecond // each question is a process in the host
	for started := time.Now(); ; time.Sleep(pause) {
		got := h.Show(t, unit, want.names()...)
		if want.matches(got) {
			return
		}
		if time.Since(started) > patience {
			require.FailNow(t, unit+" on "+h.Name+" does not become what it must", "want %v, got %v", want, got)
		}
	}
}

// since is the time from a moment of clock() to when systemd last saw the unit enter a state:
// "ActiveEnter", "InactiveEnter".
func (h *installed) since(t *testing.T, began time.Duration, unit, moment string) time.Duration {
	t.Helper()
	property := moment + "TimestampMonotonic"
	micros, err := strconv.ParseInt(h.Show(t, unit, property)[property], 10, 64)
	require.NoError(t, err)
	return time.Duration(micros)*time.Microsecond - began
}

// clock is the machine's monotonic clock, by which the systemd of every host notes when a unit
// changed.
func clock(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return time.Duration(now.Nano())
}

// in are the processes in a unit's cgroup.
func (h *installed) in(t *testing.T, unit string) []lab.Proc {
	t.Helper()
	var found []lab.Proc
	for _, p := range h.Procs(t) {
		if strings.Contains(p.Cgroup+"/", "/"+unit+"/") {
			found = append(found, p)
		}
	}
	return found
}

// one returns the only process in a unit whose program has this name.
func (h *installed) one(t *testing.T, unit, program string) lab.Proc {
	t.Helper()
	var found []lab.Proc
	for _, p := range h.in(t, unit) {
		if filepath.Base(p.Args[0]) == program {
			found = append(found, p)
		}
	}
	require.Len(t, found, 1, "processes called %s in %s on %s", program, unit, h.Name)
	return found[0]
}

func (h *installed) mainPID(t *testing.T, unit string) string {
	t.Helper()
	return h.Show(t, unit, "MainPID")["MainPID"]
}

// requireNothingOf looks for what a unit may have left behind: processes in its cgroup, of its user
// or with one of some numbers, cgroups, and its folder in /run. Programs that the test itself runs
// in the host do not count.
func (h *installed) requireNothingOf(t *testing.T, unit string, pids ...int) {
	t.Helper()
	require.Empty(t, h.in(t, unit), "processes of %s on %s", unit, h.Name)
	name := strings.TrimSuffix(strings.TrimPrefix(unit, "raynoded@"), ".service")
	if unit == "raynoded.service" {
		name = "role"
		for _, field := range strings.Fields(h.Run(t, "pgrep -u raynoded").Stdout) {
			pid, err := strconv.Atoi(field)
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	for _, p := range h.Procs(t) {
		require.False(t, slices.Contains(pids, p.Pid) && p.Cgroup != "/lab", "left on %s: %s", h.Name, p)
	}
	require.Empty(
		t, h.Sh(t, fmt.Sprintf("ls -d /run/raynoded/%s 2>/dev/null; find /sys/fs/cgroup -name %s", name, unit)), "on %s",
		h.Name,
	)
}

// logs waits until the journal of unit has some text; more narrows down where.
func (h *installed) logs(t *testing.T, text string, more ...string) {
	t.Helper()
	lab.Until(t, patience, "the journal of "+h.Name+" has "+text, func() bool {
		return strings.Contains(h.Journal(t, append(more, "--output=cat")...), text)
	})
}

// says waits until a program that runs beside the test has printed a line that begins with a word,
// and returns the rest of it.
func says(t *testing.T, p *lab.Process, word string) string {
	t.Helper()
	var rest string
	lab.Until(t, patience, "the program says "+word, func() bool {
		running := p.Running() // before what it has said is read
		for line := range strings.Lines(p.Output()) {
			after, found := strings.CutPrefix(line, word+" ")
			if text, whole := strings.CutSuffix(after, "\n"); found && whole {
				rest = text
				return true
			}
		}
		require.True(t, running, "the program has ended without saying %s: %s", word, p.Output())
		return false
	})
	return rest
}
