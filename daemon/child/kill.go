package child

import (
	"context"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

const (
	freezing  = 500 * time.Millisecond // for a cgroup to freeze; a process that is stuck in the kernel never does
	lookAgain = 100 * time.Millisecond // longest wait for the killed before newcomers are looked for
	clearView = 2                      // looks in a row that must find nothing
)

// finish kills until nothing is found. If that takes too long, the error is a *SurvivorsError, or
// what keeps us from looking: a look that fails is tried again until then, since descriptors that
// have run out come back.
func (t *Tree) finish(find func() (sight, error), kill func([]stat)) error {
	end := time.Now().Add(t.killWait)
	for empty := 0; empty < clearView; {
		s, err := find()
		if err == nil && s.nothing() {
			empty++
			continue
		}
		empty = 0
		switch late := time.Now().After(end); {
		case late && err != nil:
			return fmt.Errorf("cannot see who is still there %s after SIGKILL: %w", t.killWait, err)
		case late:
			return t.survivors(s.living)
		}
		kill(s.living)
		if err != nil {
			time.Sleep(again)
			continue
		}
		ctx, cancel := context.WithDeadline(context.Background(), soonest(end, time.Now().Add(lookAgain)))
		_ = awaitAll(ctx, s.living)
		cancel()
	}
	return nil
}

func soonest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (t *Tree) survivors(living []stat) error {
	e := &SurvivorsError{Waited: t.killWait}
	for _, s := range living {
		e.Processes = append(e.Processes, Survivor{PID: s.pid, Comm: s.comm, State: string(s.state)})
	}
	slices.SortFunc(e.Processes, func(a, b Survivor) int { return a.PID - b.PID })
	return e
}

// kill kills the cgroups as a whole, and the processes that are in none one by one.
func (t *Tree) kill(living []stat) {
	whole := t.killLeaves()
	var outside []stat
	for _, s := range living {
		if !whole || !s.inLeaf {
			outside = append(outside, s)
		}
	}
	t.killEach(outside)
}

// killLeaves is false if the members have to be killed one by one.
func (t *Tree) killLeaves() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	whole := true
	for _, l := range t.leaves {
		pids, err := l.members()
		if err == nil && slices.Contains(pids, os.Getpid()) { // a move back has failed
			err = leaf(t.home.dir).enter()
		}
		if err != nil || t.killLeaf(l) != nil {
			whole = false
		}
	}
	return whole
}

// killLeaf leaves no process of l time to fork: either the kernel kills them all, or they
// are frozen while this process kills them.
func (t *Tree) killLeaf(l leaf) error {
	if t.home.kind == full {
		return l.write("cgroup.kill", "1")
	}
	if err := l.write("cgroup.freeze", "1"); err != nil {
		return err
	}
	defer func() { _ = l.write("cgroup.freeze", "0") }()
	_ = l.await("frozen 1", freezing)
	pids, err := l.members()
	if err != nil {
		return err
	}
	frozen, err := stats(pids)
	for _, s := range frozen {
		_ = t.Signal(s.process(), syscall.SIGKILL)
	}
	return err
}
