package daemon

import (
	"fmt"
	"slices"
	"time"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/ray"
)

// brood is what one `ray start` has left behind: itself and its direct children, as they were seen
// while it lived. What the raylet starts is not among them.
type brood struct {
	starter child.Process
	exit    <-chan child.Exit // of the starter; nil once it has been heard
	members []member
	deaths  chan death
	dead    []string // what the node is degraded by

	ended    bool // a vital one has died: there is no node any more
	headless bool // the GCS has died: no raylet says goodbye to it any more
}

type member struct {
	child.Process
	ray.Program
}

type death struct {
	member
	exit child.Exit
}

// String says who died how, with its last words.
func (d death) String() string {
	return fmt.Sprintf("%s ended with %s%s", d.Name, d.exit, quote(ray.LastWords(d.Program)))
}

// errSlowAgents is how a start of Ray fails that may go well the next time.
var errSlowAgents = fmt.Errorf("Ray's agents needed more than %g s", ray.AgentLimit.Seconds())

// failure is what the death of a vital program means to its node.
func (d death) failure() error {
	if ray.SlowAgents(d.Program) {
		return failed("%w: %s", errSlowAgents, d)
	}
	return failed("%s", d)
}

// take adds a direct child that is one of Ray's programs, unless it is known already.
func (b *brood) take(p child.Process) (member, bool) {
	program := ray.Identify(p.Args)
	if program.Name == "" ||
		slices.ContainsFunc(b.members, func(m member) bool { return m.PID == p.PID && m.Started == p.Started }) {
		return member{}, false
	}
	m := member{p, program.Of(p.PID)}
	b.members = append(b.members, m)
	return m, true
}

// pace is between two looks at the children of `ray start`: nothing announces another's children. A
// look costs little, but not nothing where the kernel does not list children
// (CONFIG_PROC_CHILDREN): it is rarer once the raylet, which Ray starts last, has been seen.
func (b *brood) pace() time.Duration {
	if _, seen := b.find("raylet"); seen {
		return 500 * time.Millisecond
	}
	return 40 * time.Millisecond
}

// find returns the program called name.
func (b *brood) find(name string) (member, bool) {
	i := slices.IndexFunc(b.members, func(m member) bool { return m.Name == name })
	if i < 0 {
		return member{}, false
	}
	return b.members[i], true
}

// stages is the order of a stop: `ray start` if it still runs, so that nothing new comes; the
// raylet; the rest. The GCS hears the raylet's goodbye and is spared until then: asked to end, it
// waits for the workers of other hosts to hang up (Ray 2.60: 3.5 s and more), and it has nothing to
// save.
func (b *brood) stages() (spared child.Stage, stages []child.Stage) {
	if b.exit != nil {
		stages = append(stages, child.Stage{b.starter.PID})
	}
	if raylet, found := b.find("raylet"); found {
		stages = append(stages, child.Stage{raylet.PID})
	}
	if server, found := b.find("gcs_server"); found {
		spared = child.Stage{server.PID}
	}
	return spared, append(stages, child.Rest)
}
