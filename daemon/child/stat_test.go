package child

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const zombie = "4242 (a) Z (b) Z 17 4200 4100 0 -1 4228364 1 2 3 4 5 6 7 8 20 0 1 0 987654321 0 0 " +
	"18446744073709551615 " +
	"0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 768\n"

func TestParseStat(t *testing.T) {
	s, err := parseStat(zombie)
	require.NoError(t, err)
	require.Equal(t, stat{
		pid: 4242, comm: "a) Z (b", state: 'Z', parent: 17, group: 4200, session: 4100, threads: 1, started: 987654321,
		status: syscall.WaitStatus(3 << 8),
	}, s)
	require.False(t, s.alive())
	s.threads = 2
	require.True(t, s.alive(), "only its main thread has ended")

	for text, want := range map[string]string{
		"":                   `cannot read "": no name in brackets`,
		"1 (init) S 0 1 1\n": `cannot read "1 (init) S 0 1 1\n": fewer than 52 fields`,
	} {
		_, err := parseStat(text)
		require.EqualError(t, err, want)
	}
}

func TestReadStat(t *testing.T) {
	s, err := readStat(os.Getpid())
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), s.pid)
	require.Equal(t, os.Getppid(), s.parent)
	_, err = readStat(1 << 30)
	require.ErrorIs(t, err, os.ErrProcessDone)
}

func TestListed(t *testing.T) {
	task := t.TempDir()
	for thread, text := range map[string]string{"7": "10 11 ", "8": "", "9": "12 "} {
		require.NoError(t, os.Mkdir(filepath.Join(task, thread), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(task, thread, "children"), []byte(text), 0o644))
	}
	require.NoError(t, os.Mkdir(filepath.Join(task, "13"), 0o755)) // a thread that has just ended
	pids, err := listed(task)
	require.NoError(t, err)
	require.ElementsMatch(t, []int{10, 11, 12}, pids)

	_, err = listed(filepath.Join(task, "none"))
	require.ErrorIs(t, err, os.ErrProcessDone)
}

func TestTree_Children(t *testing.T) {
	tree := newTree(t, forced(t, none))
	parent, out := run(t, tree, "parent", "sleep")
	p := out.process(t, "sleep")
	out.says(t, "ready")
	p.Args = []string{exe(t), "sleep"}
	found, err := tree.Children(parent.PID)
	require.NoError(t, err)
	require.Equal(t, []Process{p}, found)
	found, err = tree.Children(p.PID)
	require.NoError(t, err)
	require.Empty(t, found)
}

func TestTree_Members(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		members, err := tree.Members()
		require.NoError(t, err)
		require.Empty(t, members)
		parent, out := run(t, tree, "leave", "sleep")
		p := out.process(t, "sleep")
		out.says(t, "ready")
		<-tree.Exited(parent)
		p.Args = []string{exe(t), "sleep"}
		started, out := run(t, tree, "sleep")
		out.says(t, "ready")
		members, err = tree.Members()
		require.NoError(t, err)
		require.ElementsMatch(t, []Process{p, started}, members)
	})
}
