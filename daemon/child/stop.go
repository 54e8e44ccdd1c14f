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

// Stop ends the tree. It sends SIGTERM to one stage after another: the next one gets it once the
// one before has gone, and a stage that has gone already is skipped. After the stages it is sent
// to all other processes except the spared ones, which serve the others to the end. SIGKILL goes
// to all that is alive, the spared processes included, when grace is over. It is sent earlier if
// only the spared are left, and at once if grace is 0 or when ctx is done. grace counts from the
// first SIGTERM, over all stages. Nothing can be started meanwhile.
//
// Once no process is left, Stop removes the cgroup and returns nil, also if there was nothing to
// stop. A *SurvivorsError names what is alive 10 s after the kill. After any error something may
// be left, and another Stop tries again.
func (t *Tree) Stop(ctx context.Context, grace time.Duration, spared Stage, stages ...Stage) error {
	t.stops.Lock()
	defer t.stops.Unlock()
	t.setStopping(true)
	defer t.setStopping(false)
	if grace > 0 {
		ctx, cancel := context.WithTimeout(ctx, grace)
		_ = t.terminate(ctx, spared, stages) // after an error, too, the kill is next
		cancel()
	}
	t.killLeaves() // before the first look, which takes a while on a busy host
	if err := t.killUntilGone(t.look, t.kill); err != nil {
		return err
	}
	return t.removeCgroups()
}

// setStopping notes whether a Stop is at work. What is started after it belongs to a new start.
func (t *Tree) setStopping(stopping bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopping = stopping
	t.current = ""
}

// removeCgroups removes the cgroups of what has been stopped.
func (t *Tree) removeCgroups() error {
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

// terminate sends SIGTERM stage by stage, then to processes that no stage named or that were born
// since, until only the spared are left.
func (t *Tree) terminate(ctx context.Context, spared Stage, stages []Stage) error {
	named := slices.Concat(append(stages, spared)...)
	for _, stage := range stages {
		s, err := t.look()
		if err != nil {
			return err
		}
		if err := t.terminateAll(ctx, stage.among(s.living, named)); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		s, err := t.look()
		if err != nil || s.empty() {
			return err
		}
		asked := Rest.among(s.living, spared)
		if len(asked) == 0 {
			return nil
		}
		if err := t.terminateAll(ctx, asked); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// among returns the processes among the living that the stage means. named are the PIDs that all
// stages name.
func (s Stage) among(living []stat, named []int) []stat {
	var meant []stat
	for _, p := range living {
		if slices.Contains(s, p.pid) || slices.Contains(s, 0) && !slices.Contains(named, p.pid) {
			meant = append(meant, p)
		}
	}
	return meant
}

// terminateAll sends SIGTERM and waits until all have ended. It sends SIGCONT as well, since a
// stopped process does not act on SIGTERM. A process that cannot be signalled is waited for, too.
func (t *Tree) terminateAll(ctx context.Context, asked []stat) error {
	for _, p := range asked {
		_ = t.Signal(p.process(), syscall.SIGTERM)
		_ = t.Signal(p.process(), syscall.SIGCONT)
	}
	return awaitAll(ctx, asked)
}

// awaitAll waits for one process after another: when the last one has gone, all have. If there is
// none to wait for, it pauses for a moment, so that a caller that only looks for new processes
// does not spin.
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

// SurvivorsError names the processes that were still alive some time after SIGKILL.
type SurvivorsError struct {
	Processes []Survivor // empty if they come and go faster than they can be listed
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
