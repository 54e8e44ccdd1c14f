package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// resolveInterval is between two tries to resolve the head's name.
const resolveInterval = time.Second

// activate puts the role file as it is now in force, for the next life.
func (l *loop) activate(ctx context.Context) error {
	select {
	case <-l.restart: // this is what it asked for
	default:
	}
	file, next := l.roles.file, l.roles.carry(l.roles.file, l.roles.now().Role)
	undecided := l.roles.undecided()
	if undecided && file.Kind == role.Auto {
		l.enterWaiting(nil)
	}
	var named map[string]string
	if err := l.until(ctx, func(ctx context.Context) (err error) {
		if undecided {
			next, err = l.decide(ctx, file)
		}
		if err == nil {
			named = host.Fingerprints(next)
		}
		return err
	}, l.restartRequested); err != nil {
		return err
	}
	if undecided {
		l.roles.decided = file
	}
	l.roles.begin(next, named)
	l.take(note{pending, ""})
	return nil
}

// decide turns role = "auto" into what this host is. That stays for the life of the process, unless
// the role file says something else of what it rests on.
func (l *loop) decide(ctx context.Context, file *role.Role) (*role.Role, error) {
	if file.Kind != role.Auto {
		return file, nil
	}
	for {
		limited, cancel := l.joinLimit(ctx)
		decided, err := host.Decide(limited, file, os.Getenv)
		if !errors.Is(err, host.ErrUnresolved) {
			cancel()
			return decided, err
		}
		l.note(limited, because, err.Error())
		over := l.pauseWithin(limited, resolveInterval)
		cancel()
		if over != nil {
			return nil, l.unreachable(over, err)
		}
	}
}

// joinLimit ends the context of a per-job node cluster.join_timeout after it began to wait,
// whatever it has waited for and however often it began again since. A standing one waits for ever.
// Guards may read when the phase began: it stays while they run.
func (l *loop) joinLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	r := l.roles.now()
	if r.Standing() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, l.entered.Add(r.Cluster.JoinTimeout.Duration), pause.ErrTimeUp)
}

// pauseWithin pauses within a limit that joinLimit made. That it is over counts only if it still is
// the limit.
func (l *loop) pauseWithin(limited context.Context, t time.Duration) error {
	over := pause.For(limited, t)
	r := l.roles.now()
	if errors.Is(over, pause.ErrTimeUp) && (r.Standing() || time.Since(l.entered) < r.Cluster.JoinTimeout.Duration) {
		return nil
	}
	return over
}

// unreachable is why the wait for the head is over; last is what was wrong with it until then.
func (l *loop) unreachable(over, last error) error {
	if !errors.Is(over, pause.ErrTimeUp) {
		return over
	}
	timeout := l.roles.now().Cluster.JoinTimeout
	return fmt.Errorf("%w within cluster.join_timeout (%s): %w", reason.ErrUnreachable, timeout, last)
}
