package child

import (
	"context"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// StopGroup ends p, which Start has started, and its process group, whether p itself still lives
// or not. It sends SIGTERM, and after grace it sends SIGKILL to the processes that are still
// alive; at once if grace is 0 or when ctx is done. It returns nil once no process of the group is
// left, or an error as Stop does. Processes that have left the group are for Stop to end.
func (t *Tree) StopGroup(ctx context.Context, p Process, grace time.Duration) error {
	find := func() (snapshot, error) { return t.group(p) }
	if grace > 0 {
		ctx, cancel := context.WithTimeout(ctx, grace)
		_ = t.terminateGroup(ctx, p)
		cancel()
	}
	return t.killUntilGone(find, t.killEach)
}

// group finds the living processes of p's group. The group's number stands for it as long as no
// process other than p has that number as its PID.
func (t *Tree) group(p Process) (snapshot, error) {
	s, err := t.look()
	var found snapshot
	for _, member := range s.living {
		if member.pid == p.PID && member.started != p.Started {
			return snapshot{}, nil
		}
		if member.group == p.PID {
			found.living = append(found.living, member)
		}
	}
	return found, err
}

// terminateGroup sends SIGTERM once, and waits until no process is left.
func (t *Tree) terminateGroup(ctx context.Context, p Process) error {
	for asked := false; ; {
		s, err := t.group(p)
		if err != nil || s.empty() {
			return err
		}
		// The group is signalled by a member. One that has ended since cannot do; any other will.
		asked = asked || slices.ContainsFunc(s.living, func(member stat) bool {
			return signalGroup(member, syscall.SIGTERM) && signalGroup(member, syscall.SIGCONT)
		})
		if err := awaitAll(ctx, s.living); err != nil {
			return err
		}
	}
}

// killEach kills the living without the help of a cgroup. It kills whole groups where it can, as
// that leaves their members no time to fork. It may do so if every member is ours, which is the
// case if the group is not in the session of this process.
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

// signalGroup signals the group of s. No other group can have its number while s lives. It returns
// false if s does not live.
func signalGroup(s stat, sig syscall.Signal) bool {
	f, err := s.process().open()
	if err != nil {
		return false
	}
	defer f.Close()
	return syscall.Kill(-s.group, sig) == nil
}
