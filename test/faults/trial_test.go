//go:build systemd

package faults

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// doubtFor lets a fault last for so long after the worker has said that its head does not answer.
func (try *trial) doubtFor(t *testing.T, length time.Duration) {
	t.Helper()
	try.Worker.AwaitLine(t, try.began, "head does not answer: *")
	time.Sleep(length)
	try.Worker.RequireState(
		t, host.Unit, host.Up.With("StatusText", "running: worker of grpo, head a.lab:6379; head does not answer: *"),
	)
}

// runsEverywhere runs a task on every node and returns what the program says of it.
func (try *trial) runsEverywhere(t *testing.T) string {
	t.Helper()
	tasks := try.Head.Program(t, "raynoded", "role", "where.py")
	require.Zero(t, tasks.Wait(t, lab.Patience), tasks.Output())
	return tasks.Output()
}

// rename gives the name of the head another address in the /etc/hosts of both.
func (try *trial) rename(t *testing.T, from, to string) {
	t.Helper()
	for _, h := range []*host.Host{try.Head, try.Worker} {
		h.Sh(t, fmt.Sprintf("sed -i 's/^%s a.lab /%s a.lab /' /etc/hosts && grep -q '^%[2]s a.lab ' /etc/hosts", from, to))
	}
}

// headRestarts takes it as done that systemd starts the head again, which the fault is not about.
func (try *trial) headRestarts(t *testing.T) {
	t.Helper()
	before := try.before[try.Head]
	restarts, err := strconv.Atoi(before.restarts)
	require.NoError(t, err)
	before.restarts = strconv.Itoa(restarts + 1)
	try.before[try.Head] = before
	try.Head.Await(t, host.Unit, host.State{"NRestarts": before.restarts})
}
