package host

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// Says waits until a program that runs beside the test has printed a line that begins with a word,
// and returns the rest of it.
func Says(t *testing.T, p *lab.Process, word string) string {
	t.Helper()
	var rest string
	lab.Until(t, lab.Patience, "the program says "+word, func() bool {
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

// Program starts one of test/programs as a user of this host would: with the ray.env of an instance
// and nothing more.
func (h *Host) Program(t *testing.T, user, instance, name string, args ...string) *lab.Process {
	t.Helper()
	h.Copy(t, lab.File(t, "test/programs/"+name), "/srv/"+name, "644")
	script := fmt.Sprintf(
		"cd && set -a && . /run/raynoded/%s/ray.env && export NODE_IP=%s && exec /opt/ray/bin/python3 -u /srv/%s %s",
		instance, h.Address, name, strings.Join(args, " "),
	)
	return h.Start(t, "runuser", "-u", user, "--", "env", "HOME=/tmp", "sh", "-c", script)
}

// Busy starts an actor on the worker that never ends its work, with a child in a session of its own
// and a double-forked one, and returns the numbers of the three. The driver is a program on the
// head. "deaf": they all ignore SIGTERM.
func (p *Pair) Busy(t *testing.T, how ...string) (*lab.Process, []int) {
	t.Helper()
	driver := p.Head.Program(t, "raynoded", "role", "busy.py", append([]string{p.Worker.Name}, how...)...)
	var pids []int
	for _, field := range strings.Fields(Says(t, driver, "pids")) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	require.Len(t, pids, 3)
	var inside []int
	for _, proc := range p.Worker.ProcsIn(t, Unit) {
		inside = append(inside, proc.Pid)
	}
	require.Subset(t, inside, pids, "the actor and its children are in the unit")
	return driver, pids
}
