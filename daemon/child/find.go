package child

import (
	"errors"
	"os"
)

// sight is what one look at the tree found.
type sight struct {
	living []stat
	dead   bool // some of ours had died and not been reaped: where they came from more may come
}

// nothing is true if neither a process nor the trace of one was there.
func (s sight) nothing() bool { return len(s.living) == 0 && !s.dead }

// look reaps, and says which processes of the tree are there. It lists processes before it reads
// the cgroups: a PID that is used again in between has another start time then, and is not
// signalled.
func (t *Tree) look() (sight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all, err := processes()
	if err != nil {
		return sight{}, err
	}
	family, err := t.family(all)
	if err != nil {
		return sight{}, err
	}
	t.bury(all)
	var s sight
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

// descendants returns the descendants of this process out of all, without those that os/exec waits
// for, and without the descendants of those.
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

// isForeign is true for this process, and for its children that os/exec waits for.
func (t *Tree) isForeign(s stat) bool {
	started, found := t.foreign[s.pid]
	return found && started == s.started || s.pid == os.Getpid()
}
