package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var kinds = []struct {
	name string
	kind support
}{{"none", none}, {"moved", moved}, {"frozen", frozen}, {"full", full}}

// forced is our home as it would be with less.
func forced(t testing.TB, k support) parentCgroup {
	t.Helper()
	if k == none {
		return parentCgroup{why: errors.New("the test says so")}
	}
	h := findParentCgroup()
	if h.support < k {
		t.Skipf("this host does not offer it: %s", h)
	}
	h.support = k
	return h
}

// inEveryCase runs a test under each of the four cases.
func inEveryCase(t *testing.T, test func(*testing.T, *Tree)) {
	for _, c := range kinds {
		t.Run(c.name, func(t *testing.T) { test(t, newTree(t, forced(t, c.kind))) })
	}
}

// newTree is a tree that reaps, and that is stopped at the end of the test.
func newTree(t testing.TB, h parentCgroup) *Tree {
	t.Helper()
	tree, err := newTreeIn(h)
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(t.Context()))
	reaped := make(chan error)
	go func() { reaped <- tree.Reap(ctx) }()
	t.Cleanup(func() {
		require.NoError(t, tree.Stop(context.WithoutCancel(t.Context()), 0, nil))
		done := errors.New("done")
		cancel(done)
		require.ErrorIs(t, <-reaped, done)
		tree.Close()
	})
	return tree
}

// run starts a part.
func run(t testing.TB, tree *Tree, args ...string) (Process, *script) {
	t.Helper()
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close()
	t.Cleanup(func() { _ = r.Close() })
	p, err := tree.Start(Command{Path: exe(t), Args: args, Env: partEnv, Stdout: w, Stderr: os.Stderr})
	require.NoError(t, err)
	return p, scan(r)
}

func exe(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return path
}

// script is what a started part prints, and what it starts.
type script struct {
	lines  *bufio.Scanner
	unread []string
}

func scan(r io.Reader) *script { return &script{lines: bufio.NewScanner(r)} }

func (s *script) next(t testing.TB) string {
	t.Helper()
	if len(s.unread) > 0 {
		line := s.unread[0]
		s.unread = s.unread[1:]
		return line
	}
	require.True(t, s.lines.Scan(), "the process ended without a line")
	return s.lines.Text()
}

func (s *script) says(t testing.TB, want string) {
	t.Helper()
	require.Equal(t, want, s.next(t))
}

// process is who plays the part. What is read on the way stays to be read: parent and child print
// as they come.
func (s *script) process(t testing.TB, part string) Process {
	t.Helper()
	var skipped []string
	for {
		var p Process
		line := s.next(t)
		if _, err := fmt.Sscanf(line, part+" is %d since %d", &p.PID, &p.Started); err == nil {
			s.unread = append(skipped, s.unread...)
			return p
		}
		skipped = append(skipped, line)
	}
}

func pids(all []Process) []int {
	var found []int
	for _, p := range all {
		found = append(found, p.PID)
	}
	return found
}

func requireGone(t testing.TB, p Process) {
	t.Helper()
	s, err := readStat(p.PID)
	if err == nil {
		require.NotEqual(t, p.Started, s.started, "%d (%s, state %c) is still there", s.pid, s.comm, s.state)
	}
}

func TestNew(t *testing.T) {
	tree, err := New()
	require.NoError(t, err)
	defer tree.Close()
	require.Equal(t, killWait, tree.killWait)
	require.Equal(t, findParentCgroup().String(), tree.Cgroup())
	p, err := tree.Start(Command{Path: "/bin/true"})
	require.NoError(t, err)
	require.Equal(t, Exit{Process: p, Known: true}, <-tree.Exited(p))
	require.NoError(t, tree.Stop(t.Context(), 0, nil))
}

func TestTree_Cgroup(t *testing.T) {
	h := parentCgroup{path: "/system.slice/raynoded.service", why: errors.New("no cgroup v2")}
	for _, c := range []struct {
		kind support
		want string
	}{
		{none, "none (no cgroup v2): killing every descendant"},
		{moved, "cgroup v2 /system.slice/raynoded.service (move, freeze)"},
		{frozen, "cgroup v2 /system.slice/raynoded.service (clone, freeze)"},
		{full, "cgroup v2 /system.slice/raynoded.service (clone, kill)"},
	} {
		h.support = c.kind
		require.Equal(t, c.want, (&Tree{parent: h}).Cgroup())
	}
}
