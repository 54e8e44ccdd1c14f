//go:build systemd

package test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHost_Job runs a job on the head: its exit code is the unit's, and its end is the end of the
// cluster.
func TestHost_Job(t *testing.T) {
	p := bootPair(t, "trixie")
	failed := is{"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "NRestarts": "0"}
	for _, c := range []struct {
		name, script, output string
		head                 is
	}{
		{"fails", "echo no luck; exit 3", "no luck\n", failed.with("ExecMainStatus", "3")},
		{"fails with a code of ours", "echo 70 >&2; exit 70", "70\n", failed.with("ExecMainStatus", "1")},
		{"succeeds", "echo done", "done\n", down.with("NRestarts", "0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.head.layOver(t, "job", "job.command = [\"sh\", \"-c\", \""+c.script+"\"]\n")
			p.worker.Sh(t, "systemctl start --no-block "+unit)
			p.head.Sh(t, "systemctl start "+unit)
			p.head.await(t, unit, c.head)
			p.worker.await(t, unit, down)
			headEnd := p.head.since(t, 0, unit, "InactiveEnter")
			after := p.worker.since(t, headEnd, unit, "InactiveEnter")
			t.Logf("the worker was inactive %s after the head", after)
			require.Less(t, after, late())
			for _, h := range []*installed{p.head, p.worker} {
				h.requireNothingOf(t, unit)
			}
			// Of a program that has ended by then, journald does not find out the unit.
			require.Contains(t, p.head.Journal(t, "--output=cat", "--identifier=job"), c.output)
		})
	}
}
