package child

import (
	"errors"
	"os"
)

// snapshot is what one look at the tree found.
type snapshot struct {
	living []stat
	dead   bool // some of ours were dead and not yet reaped, so more may be born
}

// empty says whether there was no process, living or dead.
func (s snapshot) empty() bool { return len(s.living) == 0 && !s.dead }

// look reaps, and returns the processes of the tree. It lists the processes before it reads the
// cgroups. If a PID is used again in between, the new process has another start time, so it is not
// signalled.
func (t *Tree) look() (snapshot, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all, err := processes()
	if err != nil {
		return snapshot{}, err
	}
	family, err := t.family(all)
	if err != nil {
		return snapshot{}, err
	}
	t.reapDead(all)
	var s snapshot
	for _, member := range family {
		if member.alive() {
			s.living = append(s.living, member)
		} else {
			s.dead = true
		}
	}
	return s, nil
}

// family returns all descendants and all members of our cgroups, by PID.
func (t *Tree) family(all []stat) (map[int]stat, error) {
	byPID := map[int]stat{}
	for _, s := range all {
		byPID[s.pid] = s
	}
	family := t.descendants(byPID)
	for _, l := range t.leaves {
		pids, err := l.members()
		if err != nil {
			return nil, err
		}
		for _, pid := range pids {
			s, found := byPID[pid]
			if !found { // born since
				if s, err = readStat(pid); errors.Is(err, os.ErrProcessDone) {
					continue
				} else if err != nil {
					return nil, err
				}
			}
			if !t.isForeign(s) {
				s.inLeaf = true
				family[pid] = s
			}
		}
	}
	return family, nil
}

// descendants returns our descendants among all. Helpers and their descendants are left out.
func (t *Tree) descendants(all map[int]stat) map[int]stat {
	children := map[int][]stat{}
	for _, s := range all {
		if _, found := all[s.parent]; !found && s.parent != 0 { // an orphan as of this moment
			if now, err := readStat(s.pid); err == nil {
				s = now
			}
		}
		children[s.parent] = append(children[s.parent], s)
	}
	family := map[int]stat{}
	var add func(parent int)
	add = func(parent int) {
		for _, s := range children[parent] {
			if _, known := family[s.pid]; !known && !t.isForeign(s) {
				family[s.pid] = s
				add(s.pid)
			}
		}
	}
	add(os.Getpid())
	return family
}

// isForeign says whether s is this process, or a child that is not for the tree to wait for.
func (t *Tree) isForeign(s stat) bool {
	started, found := t.foreign[s.pid]
	return found && started == s.started || s.pid == os.Getpid()
}
