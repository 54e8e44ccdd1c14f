//go:build chaos

package chaos

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// cluster is a head and two workers: one is started per job, one stands.
type cluster struct {
	head, job, stands *host.Host
	persistent        bool
	inOrder           bool  // it has been complete since the last round
	old               lived // the standing worker's raynoded, and what it held when it was young
}

// The windows are short, so that rounds are. WatchdogSec= is systemd's own patience with raynoded.
const (
	chaosWindows = "[watchdog]\nsilent = \"6s\"\nstuck = \"8s\"\ncheck_interval = \"1s\"\n"
	chaosUnit    = "[Service]\nRestartSec=1s\nWatchdogSec=8s\n"
)

func bootCluster(t *testing.T, persistent bool) *cluster {
	t.Helper()
	hosts := host.Boot(t, "bookworm", "a", "b", "c")
	c := &cluster{head: hosts[0], job: hosts[1], stands: hosts[2], persistent: persistent}
	c.head.Put(t, host.RolePath, host.PairHead, "644")
	c.head.Put(t, host.TokenPath, host.Token+"\n", "640")
	c.head.Sh(t, "chgrp raynoded "+host.TokenPath)
	for _, h := range c.workers() {
		h.Put(t, host.RolePath, host.PairWorker, "644")
		h.Put(t, host.Credential, host.Token+"\n", "600")
	}
	for _, h := range c.all() {
		h.LayOver(t, "chaos", fmt.Sprintf("[cluster]\nnodes = 3\npersistent_head = %t\n", persistent)+chaosWindows)
		h.DropIn(t, host.Unit, "chaos", chaosUnit)
	}
	c.stands.LayOver(t, "standing", host.Standing+"stop.drain = \"4s\"\n")
	for _, h := range []*host.Host{c.head, c.stands} {
		h.Sh(t, "systemctl enable --quiet "+host.Unit)
	}
	return c
}

func (c *cluster) all() []*host.Host { return []*host.Host{c.head, c.job, c.stands} }

func (c *cluster) workers() []*host.Host { return []*host.Host{c.job, c.stands} }

func (c *cluster) host(name string) *host.Host {
	for _, h := range c.all() {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// lose are the workers that lose their head when a host is out of the others' reach.
func (c *cluster) lose(h *host.Host) []*host.Host {
	if h == c.head {
		return c.workers()
	}
	return []*host.Host{h}
}

// node is what one unit is at one moment.
type node struct {
	state    map[string]string
	procs    []lab.Proc
	complete bool // it runs, and if it is the head, with three nodes
}

var threeNodes = regexp.MustCompile(`; [3-9] of 3 nodes`)

func (c *cluster) look(t *testing.T, h *host.Host) node {
	t.Helper()
	n := node{
		state: h.Show(t, host.Unit, "ActiveState", "SubState", "Result", "Job", "MainPID", "NRestarts", "StatusText"),
		procs: h.ProcsIn(t, host.Unit),
	}
	text := n.state["StatusText"]
	n.complete = n.state["ActiveState"] == "active" && strings.HasPrefix(text, "running: ") &&
		!strings.Contains(text, "does not answer") &&
		(h != c.head || threeNodes.MatchString(text))
	return n
}

// same are the processes without which a node is not the one it was.
func (n node) same() string {
	var b strings.Builder
	for _, p := range n.procs {
		if fmt.Sprint(p.Pid) == n.state["MainPID"] || strings.HasSuffix(p.Args[0], "/gcs_server") ||
			strings.HasSuffix(p.Args[0], "/raylet") {
			fmt.Fprintf(&b, "%d %s; ", p.Pid, p.Args[0])
		}
	}
	return b.String()
}

// lived is a raynoded that has been seen before, and what it held then.
type lived struct {
	since             string
	fds, threads, kiB int
	rounds            int
}

// requireNoGrowth compares the standing worker's raynoded, while it runs, with what it held when it
// was first seen running.
func (c *cluster) requireNoGrowth(t *testing.T) string {
	t.Helper()
	h := c.stands
	since := h.Show(t, host.Unit, "ExecMainStartTimestampMonotonic")["ExecMainStartTimestampMonotonic"]
	now := lived{since: since}
	text := h.Sh(t, fmt.Sprintf(`p=%s; for i in 1 2 3 4 5; do ls /proc/$p/fd | wc -l; sleep 0.1; done | sort -n | head -1
		awk '/^Threads|^VmRSS/ { print $2 }' /proc/$p/status
		ls -d /var/lib/raynoded/role/ray/session_2* | wc -l`, h.MainPID(t, host.Unit)))
	var sessions int
	_, err := fmt.Sscan(text, &now.fds, &now.kiB, &now.threads, &sessions)
	require.NoError(t, err, text)
	if c.old.since != since {
		c.old = now
	}
	c.old.rounds++
	const fds, threads, kiB = 2, 6, 12 << 10 // a connection that is just open; the runtime's own, which ends
	require.LessOrEqual(t, now.fds, c.old.fds+fds, "open files after %d rounds", c.old.rounds)
	require.LessOrEqual(t, now.threads, c.old.threads+threads, "threads after %d rounds", c.old.rounds)
	require.LessOrEqual(t, now.kiB, c.old.kiB+kiB, "KiB resident after %d rounds", c.old.rounds)
	require.LessOrEqual(t, sessions, 3, "ray.keep_sessions")
	return fmt.Sprintf(
		"c's raynoded after %d rounds: %d fds, %d threads, %d KiB, %d sessions", c.old.rounds, now.fds, now.threads,
		now.kiB, sessions,
	)
}
