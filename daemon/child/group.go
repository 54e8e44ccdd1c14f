package child

import (
	"context"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// StopGroup ends p, which Start has started, and its process group, whether or not p itself lives.
// It sends SIGTERM, and SIGKILL to what is alive after grace: at once if grace is 0, or when ctx is
// done. It returns nil once no process of the group is left, or an error as Stop does. Processes
// that have left the group stay for Stop.
func (t *Tree) StopGroup(ctx context.Context, p Process, grace time.Duration) error {
	find := func() (sight, error) { return t.group(p) }
	if grace > 0 {
		ctx, cancel := context.WithTimeout(ctx, grace)
		_ = t.askGroup(ctx, p)
		cancel()
	}
	return t.finish(find, t.killEach)
}

// group finds the processes that live in p's group. The number means it as long as no other process
// than p has it for its PID.
func (t *Tree) group(p Process) (sight, error) {
	s, err := t.look()
	var found sight
	for _, member := range s.living {
		if member.pid == p.PID && member.started != p.Started {
			return sight{}, nil
		}
		if member.group == p.PID {
			found.living = append(found.living, member)
		}
	}
	return found, err
}

// askGroup sends SIGTERM once, and waits until no process is left.
func (t *Tree) askGroup(ctx context.Context, p Process) error {
	for asked := false; ; {
		s, err := t.group(p)
		if err != nil || s.nothing() {
			return err
		}
		// Who was seen may have ended since; any other speaks for the group as well.
		asked = asked || slices.ContainsFunc(s.living, func(member stat) bool {
			return signalGroup(member, syscall.SIGTERM) && signalGroup(member, syscall.SIGCONT)
		})
		if err := awaitAll(ctx, s.living); err != nil {
			return err
		}
	}
}

// killEach kills the living without a cgroup's help. A whole group at once leaves its members no
// time to fork; so it is taken wherever it is all ours, which it is if its session is not this
// process's.
func (t *Tree) killEach(living []stat) {
	session, _ := unix.Getsid(os.Getpid())
	killed := map[int]bool{}
	for _, s := range living {
		switch {
		case killed[s.group]:
		case s.session != session && s.group > 1:
			killed[s.group] = signalGroup(s, syscall.SIGKILL)
		default:
			_ = t.Signal(s.process(), syscall.SIGKILL)
		}
	}
}

// signalGroup signals the group of s, whose number no other group can have while s lives. It is
// false if s does not live.
func signalGroup(s stat, sig syscall.Signal) bool {
	f, err := s.process().open()
	if err != nil {
		return false
	}
	defer f.Close()
	return syscall.Kill(-s.group, sig) == nil
}
