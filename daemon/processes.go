package daemon

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// processes is what one life has started: `ray start` with its direct children, as they were seen
// while it lived, and the [job]. What the raylet starts is not among them.
type processes struct {
	tree *child.Tree
	dirs host.Dirs
	env  []string // of raynoded itself
	log  logrus.FieldLogger
	open func(name string) (*os.File, error) // where a child called name writes
	note func(ctx context.Context, t topic, text string)

	instance     string
	startTimeout role.Duration
	deadline     time.Time         // for Ray to come up
	starter      child.Process     // `ray start`
	exit         <-chan child.Exit // of the starter; nil once it has been heard
	members      []member
	rayletSeen   chan member // takes our raylet when it is seen
	deaths       chan death
	over         chan struct{} // closed at the end of the life
	dead         []string      // what the node is degraded by

	ended    bool // a vital one has died: there is no node any more
	headless bool // the GCS has died: no raylet says goodbye to it any more

	started started
}

// member is one of Ray's programs, a direct child of `ray start`.
type member struct {
	child.Process
	ray.Program
}

// death is how a member ended.
type death struct {
	member
	exit child.Exit
}

// String says which program ended how, with its last words.
func (d death) String() string {
	return fmt.Sprintf("%s ended with %s%s", d.Name, d.exit, reason.Because(ray.LastWords(d.Program)))
}

// errSlowAgents is how a start of Ray fails that may go well the next time.
var errSlowAgents = fmt.Errorf("Ray's agents needed more than %g s", ray.AgentTimeout.Seconds())

// failure is what the death of a vital program means to its node.
func (d death) failure() error {
	switch {
	case ray.SlowAgents(d.Program):
		return reason.Failed("%w: %s", errSlowAgents, d)
	case d.exit.Signal == syscall.SIGTERM, ray.Signalled(d.Program):
		return reason.Failed("%s: %w", d, reason.ErrSignalled)
	default:
		return reason.Failed("%s", d)
	}
}

func newProcesses(o Options, note func(context.Context, topic, string)) *processes {
	return &processes{
		tree: o.Tree, dirs: o.Dirs, env: o.Env, log: o.Log, open: o.Output, note: note,
		over: make(chan struct{}),
	}
}

// forget is for the end of the life: nobody hears of deaths any more.
func (p *processes) forget() { close(p.over) }

// output runs a short program of ours, which the reaper leaves alone, and returns what it printed.
func (p *processes) output(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	cmd.Env = notify.ChildEnv(p.env)
	return p.tree.Output(ctx, cmd)
}

// adopt takes the direct children of a process among the members and has their deaths reported:
// those of `ray start` while it lives, and once it has ended our own, which they have become.
func (p *processes) adopt(parent int) {
	children, err := p.tree.Children(parent)
	if err != nil {
		return // it has just ended; its exit is on its way
	}
	for _, c := range children {
		m, isNew := p.take(c)
		if !isNew {
			continue
		}
		p.record(m.Process)
		_, _ = p.claimSession(m.Program) // also of a start that comes to nothing; tidy complains if it cannot be done
		p.reportDeath(m)
		if m.Name == "raylet" {
			p.rayletSeen <- m
		}
	}
}

// take adds a direct child that is one of Ray's programs, unless it is known already.
func (p *processes) take(c child.Process) (member, bool) {
	program := ray.Identify(c.Args)
	known := func(m member) bool { return m.PID == c.PID && m.Started == c.Started }
	if program.Name == "" || slices.ContainsFunc(p.members, known) {
		return member{}, false
	}
	m := member{c, program.WithLogsOf(c.PID)}
	p.members = append(p.members, m)
	return m, true
}

// reportDeath has supervise hear of a member's end.
func (p *processes) reportDeath(m member) {
	exited, deaths := p.tree.Exited(m.Process), p.deaths
	go func() {
		e, alive := <-exited
		if !alive {
			return
		}
		select {
		case deaths <- death{m, e}:
		case <-p.over:
		}
	}()
}

// find returns the program called name.
func (p *processes) find(name string) (member, bool) {
	i := slices.IndexFunc(p.members, func(m member) bool { return m.Name == name })
	if i < 0 {
		return member{}, false
	}
	return p.members[i], true
}

// claimSession marks the session of one of Ray's programs as this node's.
func (p *processes) claimSession(program ray.Program) (ray.Session, error) {
	s := ray.SessionOf(program)
	if s == (ray.Session{}) {
		return s, nil
	}
	return s, s.Claim(p.dirs.SessionOwner(p.instance, filepath.Dir(s.Dir)))
}
