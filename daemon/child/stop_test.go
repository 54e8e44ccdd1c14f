package child

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTree_StopNothing(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		require.NoError(t, tree.Stop(t.Context(), time.Hour, nil))
		require.NoError(t, tree.Stop(t.Context(), 0, nil, Stage{1}, Rest))
	})
}

func TestTree_StopEverybody(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		starter, out := run(t, tree, "leave", "parent", "deaf")
		parent, p := out.process(t, "parent"), out.process(t, "deaf")
		out.says(t, "ready")
		<-tree.Exited(starter)
		_, out = run(t, tree, "crowd", "20")
		out.says(t, "ready")
		members, err := tree.Members()
		require.NoError(t, err)
		require.Len(t, members, 2+21)
		used := tree.leaves

		require.NoError(t, tree.Stop(t.Context(), 0, nil))

		for _, m := range append(members, parent, p) {
			requireGone(t, m)
		}
		for _, l := range used {
			require.NoDirExists(t, string(l))
		}
		require.NoError(t, tree.Stop(t.Context(), 0, nil), "twice")
	})
}

func TestTree_StopGrace(t *testing.T) {
	tree := newTree(t, forced(t, none))
	deaf, out := run(t, tree, "deaf")
	out.says(t, "ready")
	polite, out := run(t, tree, "obey", "5")
	out.says(t, "ready")
	heard, killed := tree.Exited(polite), tree.Exited(deaf)
	const grace = 3 * time.Second
	begun := time.Now()
	stopped := make(chan error)
	go func() { stopped <- tree.Stop(t.Context(), grace, nil) }()
	require.Equal(t, 5, (<-heard).Code)
	require.Less(t, time.Since(begun), grace)
	require.Equal(t, syscall.SIGKILL, (<-killed).Signal)
	require.GreaterOrEqual(t, time.Since(begun), grace)
	require.NoError(t, <-stopped)
}

func TestTree_StopCancelled(t *testing.T) {
	tree := newTree(t, forced(t, none))
	deaf, out := run(t, tree, "deaf")
	out.says(t, "ready")
	polite, out := run(t, tree, "obey", "5")
	out.says(t, "ready")
	heard, killed := tree.Exited(polite), tree.Exited(deaf)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- tree.Stop(ctx, time.Hour, nil) }()
	require.Equal(t, 5, (<-heard).Code, "SIGTERM came first")
	cancel()
	require.Equal(t, syscall.SIGKILL, (<-killed).Signal)
	require.NoError(t, <-stopped)
}

func TestTree_StopStages(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		out := scan(r)
		var stages []Stage
		for _, name := range []string{"last", "first", "other"} {
			p, err := tree.Start(Command{Path: exe(t), Args: []string{"slow", name, "20"}, Env: partEnv, Stdout: w})
			require.NoError(t, err)
			out.says(t, "ready "+name)
			stages = append(stages, Stage{p.PID})
		}
		gone := Stage{}

		require.NoError(t, tree.Stop(t.Context(), time.Hour, nil, gone, stages[1], Rest, stages[0]))

		for _, name := range []string{"first", "other", "last"} {
			out.says(t, "asked "+name)
			out.says(t, "ended "+name)
		}
		require.NoError(t, w.Close())
	})
}

// Whom no stage names is asked too, last, and so is who is stopped.
func TestTree_StopUnnamed(t *testing.T) {
	tree := newTree(t, forced(t, none))
	named, out := run(t, tree, "slow", "named", "0")
	out.says(t, "ready named")
	p, out := run(t, tree, "obey", "5")
	out.says(t, "ready")
	require.NoError(t, tree.Signal(p, syscall.SIGSTOP))
	exited := tree.Exited(p)
	require.NoError(t, tree.Stop(t.Context(), time.Hour, nil, Stage{named.PID}))
	require.Equal(t, 5, (<-exited).Code)
}

// The spared is asked nothing: it is killed as soon as it is alone.
func TestTree_StopSpared(t *testing.T) {
	tree := newTree(t, forced(t, none))
	spared, out := run(t, tree, "obey", "5")
	out.says(t, "ready")
	_, out = run(t, tree, "obey", "6")
	out.says(t, "ready")
	exited := tree.Exited(spared)
	require.NoError(t, tree.Stop(t.Context(), time.Hour, Stage{spared.PID}, Rest))
	require.Equal(t, syscall.SIGKILL, (<-exited).Signal)
}

func TestTree_StopNewLife(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		for range 3 {
			p, out := run(t, tree, "sleep")
			out.says(t, "ready")
			used := tree.leaves
			require.NoError(t, tree.Stop(t.Context(), time.Hour, nil))
			requireGone(t, p)
			require.Empty(t, tree.leaves)
			for _, l := range used {
				require.NoDirExists(t, string(l))
			}
		}
	})
}

// What was started may make cgroups of its own and move around.
func TestTree_StopNestedCgroups(t *testing.T) {
	for _, c := range kinds[1:] {
		t.Run(c.name, func(t *testing.T) {
			tree := newTree(t, forced(t, c.kind))
			inside, out := run(t, tree, "sleep")
			out.says(t, "ready")
			nested := leaf(tree.current.file("a/b"))
			require.NoError(t, os.MkdirAll(string(nested), 0o755))
			require.NoError(t, nested.write("cgroup.procs", fmt.Sprint(inside.PID)))
			outside, out := run(t, tree, "sleep")
			out.says(t, "ready")
			require.NoError(t, leaf(tree.parent.dir).write("cgroup.procs", fmt.Sprint(outside.PID)))
			used := tree.current

			require.NoError(t, tree.Stop(t.Context(), 0, nil))

			requireGone(t, inside)
			requireGone(t, outside)
			require.NoDirExists(t, string(used))
		})
	}
}

// A move back that failed must not make a kill of the cgroup a kill of ourselves.
func TestTree_StopWhileInside(t *testing.T) {
	for _, c := range kinds[1:] {
		t.Run(c.name, func(t *testing.T) {
			tree := newTree(t, forced(t, c.kind))
			p, out := run(t, tree, "sleep")
			out.says(t, "ready")
			require.NoError(t, tree.current.enter())
			require.NoError(t, tree.Stop(t.Context(), 0, nil))
			requireGone(t, p)
		})
	}
}

// Processes that fork and end all the time, in one process group or with a session each.
func TestTree_StopStorm(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		storms := [][]string{{"storm", "10"}, {"storm", "10", "sessions"}}
		if tree.parent.support == none {
			storms[1][1] = "2" // each is a race of its own here
		}
		for _, args := range storms {
			_, out := run(t, tree, args...)
			out.says(t, "ready")
			require.NoError(t, tree.Stop(t.Context(), 0, nil))
			left, err := tree.Members()
			require.NoError(t, err)
			require.Empty(t, left)
		}
	})
}

// As a stop comes while `ray start` still starts others.
func TestTree_StopWhileStarting(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		for range 5 {
			_, out := run(t, tree, "leave", "leave", "leave", "parent", "sleep")
			out.process(t, "leave")
			require.NoError(t, tree.Stop(t.Context(), time.Hour, nil))
			left, err := tree.Members()
			require.NoError(t, err)
			require.Empty(t, left)
		}
	})
}

// The freezer of cgroup v1 holds a process as a driver would: SIGKILL does not end it.
func TestTree_StopSurvivors(t *testing.T) {
	inEveryCase(t, func(t *testing.T, tree *Tree) {
		freezer := filepath.Join("/sys/fs/cgroup/freezer", fmt.Sprintf("raynoded-test-%d", os.Getpid()))
		if err := os.Mkdir(freezer, 0o755); err != nil {
			t.Skipf("there is no freezer of cgroup v1: %s", err)
		}
		write := func(name, value string) {
			require.NoError(t, os.WriteFile(filepath.Join(freezer, name), []byte(value), 0))
		}
		thaw := func() {
			write("freezer.state", "THAWED")
			tree.killWait = killWait
			require.NoError(t, tree.Stop(context.WithoutCancel(t.Context()), 0, nil))
		}
		t.Cleanup(func() {
			thaw()
			require.NoError(t, os.Remove(freezer))
		})
		p, out := run(t, tree, "sleep")
		out.says(t, "ready")
		write("cgroup.procs", fmt.Sprint(p.PID))
		write("freezer.state", "FROZEN")
		require.Eventually(t, func() bool { // when all its threads have had their turn
			state, err := os.ReadFile(filepath.Join(freezer, "freezer.state"))
			require.NoError(t, err)
			return string(state) == "FROZEN\n"
		}, 10*time.Second, time.Millisecond)
		tree.killWait = 50 * time.Millisecond

		err := tree.Stop(t.Context(), 0, nil)

		comm := filepath.Base(exe(t))
		require.EqualError(t, err, fmt.Sprintf("1 still there 50ms after SIGKILL: %d (%s, state D)", p.PID, comm))
		var stuck *SurvivorsError
		require.ErrorAs(t, err, &stuck)
		require.Equal(t, []Survivor{{PID: p.PID, Comm: comm, State: "D"}}, stuck.Processes)

		another, _ := run(t, tree, "sleep") // nobody is kept from starting again
		killed := tree.Exited(another)
		require.ErrorAs(t, tree.Stop(t.Context(), 0, nil), &stuck)
		require.Contains(t, stuck.Processes, Survivor{PID: p.PID, Comm: comm, State: "D"})
		require.Equal(t, syscall.SIGKILL, (<-killed).Signal)

		thaw()
		requireGone(t, p)
		require.Empty(t, tree.leaves)
	})
}

func TestSurvivorsError_Error(t *testing.T) {
	e := &SurvivorsError{Waited: 10 * time.Second}
	require.EqualError(t, e, "processes still come and go 10s after SIGKILL")
	for pid := range 12 {
		e.Processes = append(e.Processes, Survivor{pid, "python", "D"})
	}
	require.EqualError(
		t,
		e,
		"12 still there 10s after SIGKILL: 0 (python, state D), 1 (python, state D), 2 (python, state D), "+
			"3 (python, state D), 4 (python, state D), 5 (python, state D), 6 (python, state D), 7 (python, state D), "+
			"8 (python, state D), 9 (python, state D), and 2 more",
	)
}
