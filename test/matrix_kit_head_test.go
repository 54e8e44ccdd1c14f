//go:build systemd

package test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// script returns the only process of the unit with an argument that ends so: Ray's programs in
// Python have no name of their own.
func (h *installed) script(t *testing.T, suffix string) lab.Proc {
	t.Helper()
	var found []lab.Proc
	for _, p := range h.in(t, unit) {
		if slices.ContainsFunc(p.Args, func(arg string) bool { return strings.HasSuffix(arg, suffix) }) {
			found = append(found, p)
		}
	}
	require.Len(t, found, 1, "processes of %s on %s", suffix, h.Name)
	return found[0]
}

// doubtFor lets a fault last for so long after the worker has said that its head does not answer.
func (try *trial) doubtFor(t *testing.T, length time.Duration) {
	t.Helper()
	try.worker.hears(t, try.began, "head does not answer: *")
	time.Sleep(length)
	try.worker.requireIs(
		t, unit, up.with("StatusText", "running: worker of grpo, head a.lab:6379; head does not answer: *"),
	)
}

// runsEverywhere runs a task on every node and returns what the program says of it.
func (try *trial) runsEverywhere(t *testing.T) string {
	t.Helper()
	tasks := try.head.program(t, "raynoded", "role", "where.py")
	require.Zero(t, tasks.Wait(t, patience), tasks.Output())
	return tasks.Output()
}

// rename gives the name of the head another address in the /etc/hosts of both.
func (try *trial) rename(t *testing.T, from, to string) {
	t.Helper()
	for _, h := range []*installed{try.head, try.worker} {
		h.Sh(t, fmt.Sprintf("sed -i 's/^%s a.lab /%s a.lab /' /etc/hosts && grep -q '^%[2]s a.lab ' /etc/hosts", from, to))
	}
}

// headRestarts takes it as done that systemd starts the head again, which the fault is not about.
func (try *trial) headRestarts(t *testing.T) {
	t.Helper()
	before := try.before[try.head]
	restarts, err := strconv.Atoi(before.restarts)
	require.NoError(t, err)
	before.restarts = strconv.Itoa(restarts + 1)
	try.before[try.head] = before
	try.head.await(t, unit, is{"NRestarts": before.restarts})
}
