//go:build systemd

package hosts

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestHost_Job runs a job on the head: its exit code is the unit's, and its end is the end of the
// cluster.
func TestHost_Job(t *testing.T) {
	p := host.BootPair(t, "trixie")
	failed := host.State{"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "NRestarts": "0"}
	for _, c := range []struct {
		name, script, output string
		head                 host.State
	}{
		{name: "fails", script: "echo no luck; exit 3", output: "no luck\n", head: failed.With("ExecMainStatus", "3")},
		{
			name: "fails with a code of ours", script: "echo 70 >&2; exit 70", output: "70\n",
			head: failed.With("ExecMainStatus", "1"),
		},
		{name: "succeeds", script: "echo done", output: "done\n", head: host.Down.With("NRestarts", "0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.Head.LayOver(t, "job", "job.command = [\"sh\", \"-c\", \""+c.script+"\"]\n")
			p.Worker.Sh(t, "systemctl start --no-block "+host.Unit)
			p.Head.Sh(t, "systemctl start "+host.Unit)
			p.Head.Await(t, host.Unit, c.head)
			p.Worker.Await(t, host.Unit, host.Down)
			headEnd := p.Head.Since(t, 0, host.Unit, "InactiveEnter")
			after := p.Worker.Since(t, headEnd, host.Unit, "InactiveEnter")
			t.Logf("the worker was inactive %s after the head", after)
			require.Less(t, after, lab.Late())
			for _, h := range []*host.Host{p.Head, p.Worker} {
				h.RequireNothingOf(t, host.Unit)
			}
			// Of a program that has ended by then, journald does not find out the unit.
			require.Contains(t, p.Head.Journal(t, "--output=cat", "--identifier=job"), c.output)
		})
	}
}
