package child

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Stage is the PIDs of processes that are asked to end together.
type Stage []int

// Rest is the stage of all processes that no other stage of the same Stop names, as of the moment
// when its turn comes.
var Rest = Stage{0}

// Stop ends the tree. Each stage gets SIGTERM once the one before it has gone; then all the rest
// gets it but the spared, which serve the others to the end. A stage that has gone already is
// passed over. What is alive at the end of grace, counted from the first SIGTERM over all stages,
// is killed, and the spared with it. So is all as soon as only the spared are left, if grace is 0,
// or when ctx is done. Nothing can be started meanwhile.
//
// Once nothing is left the cgroup is removed and Stop returns nil, also if there was nothing to
// stop. What is alive 10 s after the kill is named in a *SurvivorsError. After any error something
// may be left, and a later Stop tries again.
func (t *Tree) Stop(ctx context.Context, grace time.Duration, spared Stage, stages ...Stage) error {
	t.stops.Lock()
	defer t.stops.Unlock()
	t.halt(true)
	defer t.halt(false)
	if grace > 0 {
		ctx, cancel := context.WithTimeout(ctx, grace)
		_ = t.ask(ctx, spared, stages) // whatever went wrong, the kill is next
		cancel()
	}
	t.killLeaves() // at once: a look takes a moment on a busy host
	if err := t.finish(t.look, t.kill); err != nil {
		return err
	}
	return t.prune()
}

// halt says whether a Stop is at work. What is started after it begins a new start.
func (t *Tree) halt(stopping bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopping = stopping
	t.current = ""
}

// prune removes the cgroups of what has been stopped.
func (t *Tree) prune() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.leaves) > 0 {
		if err := t.leaves[0].remove(); err != nil {
			return err
		}
		t.leaves = t.leaves[1:]
	}
	return nil
}

// ask sends SIGTERM stage by stage, then to those that no stage named or that were born since,
// until only the spared are left.
func (t *Tree) ask(ctx context.Context, spared Stage, stages []Stage) error {
	named := slices.Concat(append(stages, spared)...)
	for _, stage := range stages {
		s, err := t.look()
		if err != nil {
			return err
		}
		if err := t.askAll(ctx, stage.of(s.living, named)); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		s, err := t.look()
		if err != nil || s.nothing() {
			return err
		}
		asked := Rest.of(s.living, spared)
		if len(asked) == 0 {
			return nil
		}
		if err := t.askAll(ctx, asked); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// of returns which of the living are meant.
func (s Stage) of(living []stat, named []int) []stat {
	var meant []stat
	for _, p := range living {
		if slices.Contains(s, p.pid) || slices.Contains(s, 0) && !slices.Contains(named, p.pid) {
			meant = append(meant, p)
		}
	}
	return meant
}

// askAll sends SIGTERM, and SIGCONT for processes that are stopped and could not hear it, and waits
// until all have ended. It also waits for a process that cannot be signalled.
func (t *Tree) askAll(ctx context.Context, asked []stat) error {
	for _, p := range asked {
		_ = t.Signal(p.process(), syscall.SIGTERM)
		_ = t.Signal(p.process(), syscall.SIGCONT)
	}
	return awaitAll(ctx, asked)
}

// awaitAll waits for one after the other: the last one is gone when all are. With none to wait for
// it makes a short pause, so that a caller that only looks for what comes next does not spin.
func awaitAll(ctx context.Context, all []stat) error {
	if len(all) == 0 {
		time.Sleep(time.Millisecond)
	}
	for _, p := range all {
		if err := p.process().wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// SurvivorsError names the processes that a kill did not end in time.
type SurvivorsError struct {
	Processes []Survivor // empty if they were born and died faster than they could be seen
	Waited    time.Duration
}

// Survivor is a process that outlived SIGKILL.
type Survivor struct {
	PID   int
	Comm  string // its name, at most 15 bytes
	State string // as ps prints it: "D" is stuck in the kernel, as a rule in a driver or a file system
}

// Error names the first ten.
func (e *SurvivorsError) Error() string {
	if len(e.Processes) == 0 {
		return fmt.Sprintf("processes still come and go %s after SIGKILL", e.Waited)
	}
	const most = 10
	var names []string
	for _, s := range e.Processes {
		names = append(names, fmt.Sprintf("%d (%s, state %s)", s.PID, s.Comm, s.State))
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%d still there %s after SIGKILL: %s", len(e.Processes), e.Waited, strings.Join(names, ", "))
}
