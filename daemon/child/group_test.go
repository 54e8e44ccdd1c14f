package child

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTree_StopGroup(t *testing.T) {
	tree := newTree(t, forced(t, none))
	other, out := run(t, tree, "sleep")
	out.says(t, "ready")
	job, out := run(t, tree, "parent", "obey", "5")
	p := out.process(t, "obey")
	out.says(t, "ready")
	exited := tree.Exited(p)

	require.NoError(t, tree.StopGroup(t.Context(), job, time.Hour))

	require.Equal(t, syscall.SIGTERM, (<-tree.Exited(job)).Signal)
	<-exited
	requireGone(t, p)
	require.NoError(t, tree.Signal(other, 0))
	require.NoError(t, tree.StopGroup(t.Context(), job, time.Hour), "twice")
}

// The group outlives its leader: its members have the grace, and are killed after it.
func TestTree_StopGroupWithoutLeader(t *testing.T) {
	tree := newTree(t, forced(t, none))
	job, out := run(t, tree, "parent", "deaf")
	p := out.process(t, "deaf")
	out.says(t, "ready")
	require.NoError(t, tree.Signal(job, syscall.SIGKILL))
	<-tree.Exited(job)
	exited := tree.Exited(p)
	const grace = 200 * time.Millisecond
	begun := time.Now()
	require.NoError(t, tree.StopGroup(t.Context(), job, grace))
	require.GreaterOrEqual(t, time.Since(begun), grace)
	require.Equal(t, syscall.SIGKILL, (<-exited).Signal)
}

func TestTree_StopGroupCancelled(t *testing.T) {
	tree := newTree(t, forced(t, none))
	job, out := run(t, tree, "deaf")
	out.says(t, "ready")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, tree.StopGroup(ctx, job, time.Hour))
	require.Equal(t, syscall.SIGKILL, (<-tree.Exited(job)).Signal)
}

func TestTree_StopGroupOfAnother(t *testing.T) {
	tree := newTree(t, forced(t, none))
	p, out := run(t, tree, "sleep")
	out.says(t, "ready")
	older := p
	older.Started--
	require.NoError(t, tree.StopGroup(t.Context(), older, 0))
	require.NoError(t, tree.Signal(p, 0), "the PID is another's by now")
}
