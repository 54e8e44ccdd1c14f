package child

import (
	"os"

	"golang.org/x/sys/unix"
)

// KillOrphans kills what an earlier process like this one started by Start and left behind when it
// was killed itself: the processes in left, and all in their sessions, in which there are no
// others. The error is one as Stop returns.
func (t *Tree) KillOrphans(left []Process) error {
	ours := orphans{}
	for _, p := range left {
		ours[identity{p.PID, p.Started}] = true
	}
	return t.finish(ours.look, t.killEach)
}

// orphans are the processes that are known. They stay known when the process has gone by which
// their session was found.
type orphans map[identity]bool

// identity is what no other process has.
type identity struct {
	pid     int
	started uint64
}

func (s stat) identity() identity { return identity{s.pid, s.started} }

func (o orphans) look() (sight, error) {
	all, err := processes()
	if err != nil {
		return sight{}, err
	}
	own, _ := unix.Getsid(os.Getpid())
	sessions := map[int]bool{}
	for _, s := range all {
		if o[s.identity()] && s.session > 1 && s.session != own { // as Start makes them
			sessions[s.session] = true
		}
	}
	var found sight
	for _, s := range all {
		if s.alive() && (o[s.identity()] || sessions[s.session]) {
			o[s.identity()] = true
			found.living = append(found.living, s)
		}
	}
	return found, nil
}
