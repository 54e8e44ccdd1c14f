package child

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireReaped waits until n processes were reaped and no zombie is there. The reaper tells
// nobody, so it is asked.
func requireReaped(t *testing.T, tree *Tree, n int) {
	t.Helper()
	require.Eventually(t, func() bool {
		tree.mu.Lock()
		defer tree.mu.Unlock()
		mine, err := children(os.Getpid())
		require.NoError(t, err)
		return tree.reaped.next == n && !slices.ContainsFunc(mine, func(s stat) bool { return s.state == 'Z' })
	}, 10*time.Second, time.Millisecond)
}

func TestTree_ReapOrphans(t *testing.T) {
	tree := newTree(t, forced(t, none))
	p, out := run(t, tree, "orphans", "200")
	out.says(t, "done")
	require.Equal(t, Exit{Process: p, Known: true}, <-tree.Exited(p))
	requireReaped(t, tree, 201)
}

func TestTree_RunKeepsResults(t *testing.T) {
	tree := newTree(t, forced(t, none))
	_, out := run(t, tree, "orphans", "200")
	for i := range 50 {
		cmd := exec.Command("/bin/sh", "-c", "exit "+strconv.Itoa(i))
		err := tree.Run(t.Context(), cmd)
		if i == 0 {
			require.NoError(t, err)
			continue
		}
		var failed *exec.ExitError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, i, failed.ExitCode())
	}
	out.says(t, "done")
	requireReaped(t, tree, 201)
	require.Empty(t, tree.foreign)
}

func TestTree_Output(t *testing.T) {
	tree := newTree(t, forced(t, none))
	out, err := tree.Output(t.Context(), exec.Command("/bin/sh", "-c", "echo yes; echo no >&2; exit 4"))
	require.Equal(t, "yes\n", string(out))
	var failed *exec.ExitError
	require.ErrorAs(t, err, &failed)
	require.Equal(t, "no\n", string(failed.Stderr))
	require.Equal(t, 4, failed.ExitCode())

	_, err = tree.Output(t.Context(), exec.Command("/no/such/program"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestTree_RunCancelled(t *testing.T) {
	tree := newTree(t, forced(t, none))
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	cmd := exec.Command(exe(t), "sleep")
	cmd.Env, cmd.Stdout = partEnv, w
	ended := make(chan error)
	go func() { ended <- tree.Run(ctx, cmd) }()
	_, err = r.Read(make([]byte, 100)) // it lives
	require.NoError(t, err)
	cancel(enough)
	require.ErrorIs(t, <-ended, enough)
	require.NoError(t, w.Close())
	require.ErrorIs(t, tree.Run(ctx, exec.Command("/bin/true")), enough, "not even started")
}

// Helpers, what they start, and children from before New are no part of the tree.
func TestTree_Foreign(t *testing.T) {
	before := exec.Command(exe(t), "sleep")
	before.Env = partEnv
	require.NoError(t, before.Start())
	tree := newTree(t, forced(t, none))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	helper := exec.Command(exe(t), "parent", "sleep")
	helper.Env, helper.Stdout = before.Env, w
	ended := make(chan error)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- tree.Run(ctx, helper) }()
	out := scan(r)
	grandchild := out.process(t, "sleep")
	out.says(t, "ready")
	p, _ := run(t, tree, "sleep")

	members, err := tree.Members()
	require.NoError(t, err)
	require.Equal(t, []int{p.PID}, pids(members))
	require.NoError(t, tree.Stop(t.Context(), 0, nil))
	require.NoError(t, tree.Signal(grandchild, 0))
	require.NoError(t, before.Process.Signal(syscall.Signal(0)))

	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	require.NoError(t, w.Close())
	members, err = tree.Members()
	require.NoError(t, err)
	require.Equal(t, []int{grandchild.PID}, pids(members), "what a helper leaves behind is")
	require.NoError(t, before.Process.Kill())
	require.EqualError(t, before.Wait(), "signal: killed")
}
