package daemon

import (
	"context"

	"github.com/raynoded/raynoded/daemon/ray"
)

// tidy removes the sessions that are older than ray.keep_sessions wants, again when the role is replaced: Ray itself
// never removes one. Others' are not touched, nor is one that a program still has open.
func (l *life) tidy(ctx context.Context) error {
	current, err := ray.Claim(l.program, l.role.Name)
	if err != nil {
		l.log.WithError(err).Warn("cannot mark Ray's session as this node's: it will not be removed")
	}
	if err != nil || current == (ray.Session{}) {
		return forever(ctx)
	}
	if l.node.TempDir == l.place.Temp {
		ray.Adopt(l.place.Temp, l.role.Name)
	}
	for {
		r := l.now()
		former := current.Former(l.role.Name)
		for _, old := range former[min(r.Ray.KeepSessions-1, len(former)):] {
			l.remove(ctx, old, r.Ray.KeepSessions)
		}
		if err := r.last(ctx); err != nil {
			return err
		}
	}
}

// remove removes a session as far as it comes before ctx ends. The next one to tidy goes on with what is left.
func (l *life) remove(ctx context.Context, old ray.Session, keep int) {
	log := l.log.WithField("session", old.Dir)
	held := old.Held(ctx)
	if ctx.Err() != nil {
		return
	}
	if held {
		log.Infof("kept %s, which a program still uses", old.Dir)
		return
	}
	err := old.Remove(ctx, l.role.Name)
	switch {
	case err == nil:
		log.Infof("removed %s: ray.keep_sessions is %d", old.Dir, keep)
	case ctx.Err() == nil:
		log.WithError(err).Warnf("cannot remove %s", old.Dir)
	}
}
