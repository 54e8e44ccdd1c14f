package child

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExit_String(t *testing.T) {
	require.Equal(t, "exit code 1", newExit(Process{}, 1<<8).String())
	require.Equal(t, "signal killed", newExit(Process{}, syscall.WaitStatus(syscall.SIGKILL)).String())
	require.Equal(t, "exit code unknown (its parent took it)", Exit{}.String())
}

func TestTree_ExitedStarted(t *testing.T) {
	tree := newTree(t, forced(t, none))
	for _, code := range []int{0, 1, 255} {
		p, _ := run(t, tree, "exit", strconv.Itoa(code))
		exited := tree.Exited(p)
		require.Equal(t, Exit{Process: p, Known: true, Code: code}, <-exited)
		_, more := <-exited
		require.False(t, more)
		require.Equal(t, Exit{Process: p, Known: true, Code: code}, <-tree.Exited(p), "asked late")
	}
	p, out := run(t, tree, "sleep")
	out.says(t, "ready")
	require.NoError(t, tree.Signal(p, syscall.SIGKILL))
	require.Equal(t, Exit{Process: p, Known: true, Code: -1, Signal: syscall.SIGKILL}, <-tree.Exited(p))
}

func TestTree_ExitedAdopted(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		parent, out := run(t, tree, "leave", "obey", "7")
		p := out.process(t, "obey")
		exited := tree.Exited(p)
		out.says(t, "ready")
		require.Equal(t, Exit{Process: parent, Known: true}, <-tree.Exited(parent))
		s, err := readStat(p.PID)
		require.NoError(t, err)
		require.Equal(t, os.Getpid(), s.parent)
		require.Equal(t, p.PID, s.session)

		require.NoError(t, tree.Signal(p, syscall.SIGTERM))

		require.Equal(t, Exit{Process: p, Known: true, Code: 7}, <-exited)
	})
}

// A parent that does not wait leaves a zombie, which still shows its code.
func TestTree_ExitedUnreapedByAnother(t *testing.T) {
	tree := newTree(t, forced(t, none))
	parent, out := run(t, tree, "parent", "exit", "3")
	p := out.process(t, "exit")
	require.Equal(t, Exit{Process: p, Known: true, Code: 3}, <-tree.Exited(p))
	require.NoError(t, tree.Signal(parent, syscall.SIGKILL))
	require.Equal(t, Exit{Process: p, Known: true, Code: 3}, <-tree.Exited(p))
}

func TestTree_ExitedReapedByAnother(t *testing.T) {
	tree := newTree(t, forced(t, none))
	_, out := run(t, tree, "waiter", "exit", "3")
	p := out.process(t, "exit")
	out.says(t, "reaped")
	require.Equal(t, Exit{Process: p}, <-tree.Exited(p))
}

func TestTree_ExitedOfAnotherLife(t *testing.T) {
	tree := newTree(t, forced(t, none))
	p, out := run(t, tree, "sleep")
	out.says(t, "ready")
	p.Started++ // the PID is in use, by a younger process

	require.Equal(t, Exit{Process: p}, <-tree.Exited(p))
	err := tree.Signal(p, syscall.SIGKILL)
	require.ErrorIs(t, err, os.ErrProcessDone)
	require.EqualError(t, err, "cannot signal process "+strconv.Itoa(p.PID)+": os: process already finished")
	p.Started--
	require.NoError(t, tree.Signal(p, 0))
}

func TestTree_CloseEndsWatchers(t *testing.T) {
	tree := newTree(t, forced(t, none))
	p, out := run(t, tree, "sleep")
	out.says(t, "ready")
	exited := tree.Exited(p)
	tree.Close()
	_, told := <-exited
	require.False(t, told)
}
