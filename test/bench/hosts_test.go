//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/test/lab"
)

const (
	suite    = "bookworm"
	patience = 2 * time.Minute // for what must come in the end
	calm     = time.Second     // between a round and the next, for the machine to settle
)

// host is a booted host with the package and the other units on it.
type host struct {
	*lab.Host
	proc string // its /proc, by the machine's path
}

// cluster is a head and its worker, with nothing started.
type cluster struct {
	network      *lab.Network
	head, worker *host
}

func bootCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{network: lab.NewNetwork(t)}
	hosts := c.boot(t, "a", "b")
	c.head, c.worker = hosts[0], hosts[1]
	c.head.Put(t, rolePath, role("head", ""), "644")
	c.worker.Put(t, rolePath, role("worker", ""), "644")
	// The head stays away, as at the end of a job. Otherwise a watch that takes longer than its
	// restart sees a new one.
	c.head.Put(
		t, "/etc/systemd/system/raynoded.service.d/once.conf", "[Service]\nRestart=no\nRestartForceExitStatus=\n", "644",
	)
	c.head.Sh(t, "systemctl daemon-reload")
	return c
}

// boot boots hosts side by side and installs all that is measured.
func (c *cluster) boot(t *testing.T, names ...string) []*host {
	t.Helper()
	deb := lab.Package(t)
	var options []lab.HostOptions
	for _, name := range names {
		options = append(options, lab.HostOptions{Name: name, Root: suite, Net: c.network})
	}
	var all []*host
	for _, booted := range lab.BootAll(t, options...) {
		h := &host{Host: booted}
		h.Copy(t, deb, "/root/raynoded.deb", "644")
		h.Sh(t, "dpkg --install /root/raynoded.deb && rm /root/raynoded.deb")
		h.Copy(t, lab.File(t, "test/programs/busy.py"), "/srv/busy.py", "644")
		// systemd forgets how a unit ended unless another one names it.
		h.Put(
			t, "/etc/systemd/system/remember.target", fmt.Sprintf("[Unit]\nAfter=%s %s %s %s\n", raynoded, loop, block, bare),
			"644",
		)
		h.Sh(t, "systemctl daemon-reload && systemctl start remember.target")
		window := h.Start(t, "sleep", "infinity")
		h.proc = fmt.Sprintf("/proc/%d/root/proc", window.Pid)
		all = append(all, h)
	}
	return all
}

// restart makes the head a new one, whatever has become of the last.
func (c *cluster) restart(t *testing.T) {
	t.Helper()
	c.head.down(t, raynoded)
	c.head.Sh(t, "systemctl start "+raynoded)
}

// join starts a unit on the worker that makes it a node, and waits until it is one.
func (c *cluster) join(t *testing.T, unit string) {
	t.Helper()
	c.worker.Sh(t, "systemctl start "+unit)
	c.head.Sh(t, "raynoded wait --nodes 2 --timeout 90s "+c.worker.Name)
}

// busy starts an actor on the worker that never ends its work, with a child in a session of its own
// and a double-forked one. "deaf": they ignore SIGTERM. It returns a function that ends the program
// on the head to which the actor belongs.
func (c *cluster) busy(t *testing.T, how ...string) (end func()) {
	t.Helper()
	script := fmt.Sprintf(
		"cd && set -a && . /run/raynoded/role/ray.env && export NODE_IP=%s && exec /opt/ray/bin/python3 -u /srv/busy.py "+
			"%s %s",
		c.head.Address, c.worker.Name, strings.Join(how, " "),
	)
	driver := c.head.Start(
		t, "setpriv", "--reuid=raynoded", "--regid=raynoded", "--clear-groups", "env", "HOME=/tmp", "sh", "-c", script,
	)
	lab.Until(t, patience, "the actor works", func() bool {
		require.True(t, driver.Running(), "the driver has ended: %s", driver.Output())
		return strings.Contains(driver.Output(), "pids ")
	})
	return func() {
		if driver.Running() {
			_ = unix.Kill(driver.Pid, unix.SIGKILL)
			driver.Wait(t, patience)
		}
	}
}

// down stops a unit, ends what it left, and forgets how it went.
func (h *host) down(t *testing.T, unit string) {
	t.Helper()
	h.Sh(
		t,
		fmt.Sprintf(
			"systemctl stop %[1]s; echo 1 2>/dev/null >/sys/fs/cgroup/system.slice/%[1]s/cgroup.kill; systemctl "+
				"reset-failed %[1]s 2>/dev/null || true",
			unit,
		),
	)
	lab.Until(t, patience, "nothing is left of "+unit, func() bool { return len(h.left(t)) == 0 })
	h.Sh(t, "rm -rf /var/lib/raynoded/role/ray /var/lib/bench/ray")
}

// left names the programs of the user that everything measured here runs as.
func (h *host) left(t *testing.T) []string {
	t.Helper()
	var names []string
	for line := range strings.Lines(h.Run(t, "ps -u raynoded -o args=").Stdout) {
		names = append(names, program(strings.Fields(line)))
	}
	return names
}

// program is the script that a Python runs, else the name of the file; a zombie has its name in
// brackets.
func program(args []string) string {
	name := filepath.Base(args[0])
	if strings.HasPrefix(name, "python") {
		for _, arg := range args[1:] {
			if strings.HasSuffix(arg, ".py") {
				return filepath.Base(arg)
			}
		}
	}
	return name
}

// ended is how a unit ended.
type ended struct {
	after  float64 // seconds
	result string  // as systemd shows it
	left   []string
	later  []string // what is left of that after some seconds
}

// later is time enough for processes that see by themselves that their parent has gone.
const later = 5 * time.Second

// awaitEnd waits until systemd sees the unit that runs end. watch must have been started before.
func (h *host) awaitEnd(t *testing.T, unit string, watch *lab.Process, began time.Duration) ended {
	t.Helper()
	watch.Wait(t, 5*time.Minute)
	e := ended{left: h.left(t), after: h.since(t, began, unit, "InactiveEnterTimestampMonotonic")}
	p := h.Show(t, unit, "ActiveState", "Result", "ExecMainStatus")
	e.result = fmt.Sprintf("%s, %s, %s", p["ActiveState"], p["Result"], p["ExecMainStatus"])
	if len(e.left) > 0 {
		time.Sleep(later)
		e.later = h.left(t)
	}
	return e
}

// watch returns a process that ends when the running unit ends.
func (h *host) watch(t *testing.T, unit string) *lab.Process {
	t.Helper()
	return h.Start(t, "systemctl", "start", "--wait", unit)
}

// since is the time in seconds from a moment of the machine's monotonic clock to one that systemd
// has noted.
func (h *host) since(t *testing.T, began time.Duration, unit, property string) float64 {
	t.Helper()
	return (h.noted(t, unit, property) - began).Seconds()
}

func (h *host) noted(t *testing.T, unit, property string) time.Duration {
	t.Helper()
	text := h.Show(t, unit, property)[property]
	micros, err := strconv.ParseInt(text, 10, 64)
	require.NoError(t, err, "%s of %s on %s", property, unit, h.Name)
	require.NotZero(t, micros, "%s of %s on %s", property, unit, h.Name)
	return time.Duration(micros) * time.Microsecond
}

// clock is the machine's monotonic clock, by which the systemd of every host notes what happens.
func clock(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &now))
	return time.Duration(now.Nano())
}

// kill kills the only process of a name and returns the moment just before.
func (h *host) kill(t *testing.T, comm string) time.Duration {
	t.Helper()
	const script = `python3 -c 'import os, sys, time; at = time.monotonic_ns(); ` +
		`os.kill(int(sys.argv[1]), 9); print(at)' "$(pgrep -x %s)"`
	nanos, err := strconv.ParseInt(h.Sh(t, fmt.Sprintf(script, comm)), 10, 64)
	require.NoError(t, err)
	return time.Duration(nanos)
}

// readProc reads a file of the host's /proc from outside, so that the reading is no load of its
// units.
func (h *host) readProc(pid int, name string) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("%s/%d/%s", h.proc, pid, name))
	return string(text), err
}
