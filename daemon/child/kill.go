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
	freezeTimeout = 500 * time.Millisecond // for a cgroup to freeze; one with a process stuck in the kernel never does
	lookInterval  = 100 * time.Millisecond // to wait for killed processes at most, before the next look for new ones
	emptyLooks    = 2                      // this many looks in a row must find nothing
)

// killUntilGone kills until find finds nothing. If that takes too long, the error is a
// *SurvivorsError, or says why the processes could not be found. A find that fails is tried again
// until then, as a lack of descriptors may pass.
func (t *Tree) killUntilGone(find func() (snapshot, error), kill func([]stat)) error {
	end := time.Now().Add(t.killWait)
	for empty := 0; empty < emptyLooks; {
		s, err := find()
		if err == nil && s.empty() {
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
			time.Sleep(retryPause)
			continue
		}
		ctx, cancel := context.WithDeadline(context.Background(), earlier(end, time.Now().Add(lookInterval)))
		_ = awaitAll(ctx, s.living)
		cancel()
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
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

// kill kills the cgroups as a whole, and the processes that are in none of them one by one.
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

// killLeaves kills the cgroups. It returns false if their members have to be killed one by one.
func (t *Tree) killLeaves() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	whole := true
	for _, l := range t.leaves {
		pids, err := l.members()
		if err == nil && slices.Contains(pids, os.Getpid()) { // a move back has failed
			err = leaf(t.parent.dir).enter()
		}
		if err != nil || t.killLeaf(l) != nil {
			whole = false
		}
	}
	return whole
}

// killLeaf kills the processes of l and leaves them no time to fork: either the kernel kills them
// all at once, or they are frozen while we kill them.
func (t *Tree) killLeaf(l leaf) error {
	if t.parent.support == full {
		return l.write("cgroup.kill", "1")
	}
	if err := l.write("cgroup.freeze", "1"); err != nil {
		return err
	}
	defer func() { _ = l.write("cgroup.freeze", "0") }()
	_ = l.await("frozen 1", freezeTimeout)
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
