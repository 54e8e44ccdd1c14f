//go:build systemd

package test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// pair is a cluster of two hosts: the head is a.lab, the worker b.lab.
type pair struct{ head, worker *installed }

// The token is in a file of the head, and a systemd credential of the worker.
const (
	rolePath   = "/etc/raynoded/role.toml"
	tokenPath  = "/etc/raynoded/token"
	credential = "/etc/credstore/ray-token"
	token      = "q7Zk3nT0mWc8yVb1xHs5"

	pairHead = `role = "head"
[cluster]
name = "grpo"
head = "a.lab:6379"
nodes = 2
[ray]
num_cpus = 2
object_store_memory = "100MB"
extra_args = ["--include-dashboard=false"]
[stop]
grace = "3s"
[auth]
mode = "token"
token_file = "/etc/raynoded/token"
`
	pairWorker = `role = "worker"
[cluster]
name = "grpo"
head = "a.lab:6379"
nodes = 2
[ray]
num_cpus = 2
object_store_memory = "100MB"
[stop]
grace = "3s"
[auth]
mode = "token"
`
	standing = "watchdog.on_head_loss = \"rejoin\"\n"
)

// bootPair boots the two hosts, with their roles and tokens in place and nothing started.
func bootPair(t *testing.T, suite string) *pair {
	t.Helper()
	return pairOf(t, bootInstalled(t, suite, "a", "b"))
}

// pairOf makes a pair of two hosts, called a and b, that have the package.
func pairOf(t *testing.T, hosts []*installed) *pair {
	t.Helper()
	p := &pair{head: hosts[0], worker: hosts[1]}
	p.head.Put(t, rolePath, pairHead, "644")
	p.head.Put(t, tokenPath, token+"\n", "640")
	p.head.Sh(t, "chgrp raynoded "+tokenPath)
	p.worker.Put(t, rolePath, pairWorker, "644")
	p.worker.Put(t, credential, token+"\n", "600")
	for _, h := range hosts {
		h.dropIn(t, unit, "quick", "[Service]\nRestartSec=1s\n") // 10 s in the unit
	}
	return p
}

// startBoth starts who is not running yet and returns when both are in the cluster.
func (p *pair) startBoth(t *testing.T) {
	t.Helper()
	p.head.Sh(t, "systemctl start "+unit)
	p.worker.Sh(t, "systemctl start "+unit)
	p.await(t)
}

// stopBoth stops who is running, the worker first, as it would else lose its head.
func (p *pair) stopBoth(t *testing.T) {
	t.Helper()
	for _, h := range []*installed{p.worker, p.head} {
		h.Sh(t, "systemctl stop "+unit)
		h.requireIs(t, unit, down)
	}
}

// await waits until the cluster has both nodes.
func (p *pair) await(t *testing.T) {
	t.Helper()
	p.head.Sh(t, "raynoded wait --nodes 2 --timeout 90s")
	p.worker.await(t, unit, up.with("StatusText", "running: *"))
}

// layOver puts a drop-in over a host's role file.
func (h *installed) layOver(t *testing.T, name, text string) {
	t.Helper()
	h.Put(t, rolePath+".d/"+name+".toml", text, "644")
}

// dropIn puts a drop-in over a unit.
func (h *installed) dropIn(t *testing.T, unit, name, text string) {
	t.Helper()
	h.Put(t, "/etc/systemd/system/"+unit+".d/"+name+".conf", text, "644")
	h.Sh(t, "systemctl daemon-reload")
}

// program starts one of testdata's programs as a person of this host would: with ray.env of an
// instance and nothing more.
func (h *installed) program(t *testing.T, user, instance, name string, args ...string) *lab.Process {
	t.Helper()
	h.Copy(t, "testdata/"+name, "/srv/"+name, "644")
	script := fmt.Sprintf(
		"cd && set -a && . /run/raynoded/%s/ray.env && export NODE_IP=%s && exec /opt/ray/bin/python3 -u /srv/%s %s",
		instance, h.Address, name, strings.Join(args, " "),
	)
	return h.Start(t, "runuser", "-u", user, "--", "env", "HOME=/tmp", "sh", "-c", script)
}

// busy starts an actor on the worker that never ends its work, with a child in a session of its own
// and a double-forked one, and returns the numbers of the three. The driver is a program on the
// head. "deaf": they all ignore SIGTERM.
func (p *pair) busy(t *testing.T, how ...string) (*lab.Process, []int) {
	t.Helper()
	driver := p.head.program(t, "raynoded", "role", "busy.py", append([]string{p.worker.Name}, how...)...)
	var pids []int
	for _, field := range strings.Fields(says(t, driver, "pids")) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	require.Len(t, pids, 3)
	var inside []int
	for _, proc := range p.worker.in(t, unit) {
		inside = append(inside, proc.Pid)
	}
	require.Subset(t, inside, pids, "the actor and its children are in the unit")
	return driver, pids
}
