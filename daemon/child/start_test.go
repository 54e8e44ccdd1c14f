package child

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestTree_Start(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		before, err := os.ReadFile("/proc/self/cgroup")
		require.NoError(t, err)

		p, out := run(t, tree, "where")

		cgroup := string(before)
		if tree.parent.support != none {
			born := strings.TrimPrefix(string(tree.current), tree.parent.dir)
			cgroup = strings.Replace(cgroup, "0::"+tree.parent.path, "0::"+strings.TrimSuffix(tree.parent.path, "/")+born, 1)
			require.NotEqual(t, string(before), cgroup)
		}
		dir, err := os.Getwd()
		require.NoError(t, err)
		out.says(t, fmt.Sprintf("%q /dev/null %s true %q", cgroup, dir, partEnv))
		require.Equal(t, []string{exe(t), "where"}, p.Args)
		after, err := os.ReadFile("/proc/self/cgroup")
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "this process stays where it is")
	})
}

func TestTree_StartFileLimit(t *testing.T) {
	_, out := run(t, newTree(t, forced(t, none)), "limit")
	soft, hard, _ := strings.Cut(out.next(t), " ")
	require.Equal(t, hard, soft)
	var l syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l))
	require.Equal(t, strconv.FormatUint(l.Max, 10), hard)
}

// Whoever waits for nothing lets all others come first.
func TestTree_StartIdle(t *testing.T) {
	tree := newTree(t, forced(t, none))
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	require.NoError(t, err)
	const nicest = 20 - lowest // as getpriority(2) itself answers
	for _, c := range []struct {
		idle bool
		nice int
		io   uintptr
	}{{false, own, 0}, {true, nicest, ioprioClassIdle}} {
		p, err := tree.Start(Command{Path: "/bin/sleep", Args: []string{"60"}, Idle: c.idle})
		require.NoError(t, err)
		nice, err := unix.Getpriority(unix.PRIO_PROCESS, p.PID)
		require.NoError(t, err)
		require.Equal(t, c.nice, nice)
		class, _, no := unix.Syscall(unix.SYS_IOPRIO_GET, ioprioWhoProcess, uintptr(p.PID), 0)
		require.Zero(t, no)
		require.Equal(t, c.io, class>>ioprioClassShift)
	}
	require.NoError(t, tree.Stop(t.Context(), 0, nil))
}

func TestTree_StartErrors(t *testing.T) {
	tree := newTree(t, forced(t, none))
	_, err := tree.Start(Command{Path: "/no/such/program"})
	require.EqualError(t, err, "cannot start /no/such/program: no such file or directory")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = tree.Start(Command{Path: "/"})
	require.EqualError(t, err, "cannot start /: permission denied")

	tree.setStopping(true)
	_, err = tree.Start(Command{Path: "/bin/true"})
	require.EqualError(t, err, "cannot start /bin/true: the tree is being stopped")
	require.ErrorIs(t, err, ErrStopping)
	tree.setStopping(false)
}

// Controllers that are enabled in a cgroup, and threads in it, keep processes out. Controllers
// cannot be had everywhere, so it is threads here.
func TestTree_StartRefused(t *testing.T) {
	for _, c := range kinds[1:] {
		t.Run(c.name, func(t *testing.T) {
			tree := newTree(t, forced(t, c.kind))
			top, n, err := tree.parent.makeLeaf(tree.starts)
			require.NoError(t, err)
			tree.starts = n
			defer func() { require.NoError(t, top.remove()) }()
			threads, bad := leaf(top.file("threads")), leaf(top.file("bad"))
			require.NoError(t, os.Mkdir(string(threads), 0o755))
			require.NoError(t, threads.write("cgroup.type", "threaded"))
			require.NoError(t, os.Mkdir(string(bad), 0o755))
			tree.current = bad

			_, err = tree.Start(Command{Path: "/bin/true"})

			require.ErrorIs(t, err, syscall.EOPNOTSUPP)
			require.ErrorContains(t, err, "cannot start /bin/true: ")
			require.ErrorContains(t, err, string(bad))
		})
	}
}

func TestTree_StartAgain(t *testing.T) {
	for _, c := range kinds[1:] {
		t.Run(c.name, func(t *testing.T) {
			tree := newTree(t, forced(t, c.kind))
			run(t, tree, "sleep")
			first := tree.current
			run(t, tree, "sleep")
			require.Equal(t, first, tree.current, "one cgroup until Stop")
			require.NoError(t, tree.Stop(t.Context(), 0, nil))
			require.NoDirExists(t, string(first))

			run(t, tree, "sleep")
			require.NotEqual(t, first, tree.current)
			require.NoError(t, tree.Stop(t.Context(), 0, nil))
		})
	}
}
