package child

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTree_KillOrphans(t *testing.T) {
	tree := newTree(t, forced(t, none))
	job, out := run(t, tree, "parent", "deaf")
	p := out.process(t, "deaf")
	out.says(t, "ready")
	other, out := run(t, tree, "sleep")
	out.says(t, "ready")
	older := other
	older.Started--
	killed := tree.Exited(p)

	require.NoError(t, tree.KillOrphans([]Process{older, job}))

	require.Equal(t, syscall.SIGKILL, (<-tree.Exited(job)).Signal)
	require.Equal(t, syscall.SIGKILL, (<-killed).Signal, "it is in the job's session")
	require.NoError(t, tree.Signal(other, 0), "the PID is another's by now")
	require.NoError(t, tree.KillOrphans([]Process{older, job}), "twice")
}

// The members of a session that has been seen stay known when its leader has gone.
func TestTree_KillOrphansWithoutLeader(t *testing.T) {
	tree := newTree(t, forced(t, none))
	job, out := run(t, tree, "parent", "sleep")
	p := out.process(t, "sleep")
	out.says(t, "ready")
	seen := orphans{{job.PID, job.Started}: true}
	s, err := seen.look()
	require.NoError(t, err)
	require.Len(t, s.living, 2)
	require.NoError(t, tree.Signal(job, syscall.SIGKILL))
	<-tree.Exited(job)
	s, err = seen.look()
	require.NoError(t, err)
	require.Len(t, s.living, 1)
	require.Equal(t, p.PID, s.living[0].pid)
}

// Of our own session a process speaks for itself alone: we are in it.
func TestTree_KillOrphansOfOurSession(t *testing.T) {
	self, err := readStat(syscall.Getpid())
	require.NoError(t, err)
	parent, err := readStat(self.parent)
	require.NoError(t, err)
	require.Equal(t, self.session, parent.session)
	s, err := orphans{parent.identity(): true}.look()
	require.NoError(t, err)
	require.Len(t, s.living, 1)
	require.Equal(t, parent.pid, s.living[0].pid)
}
