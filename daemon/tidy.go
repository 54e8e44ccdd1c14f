package daemon

import (
	"context"
	"path/filepath"

	"github.com/raynoded/raynoded/daemon/ray"
)

// tidy removes the sessions that are older than ray.keep_sessions wants, again when the role is replaced: Ray itself
// never removes one. Others' are not touched, nor is one that a program still has open.
func (l *life) tidy(ctx context.Context) error {
	current, err := l.claim(l.program)
	if err != nil {
		l.log.WithError(err).Warn("cannot mark Ray's session as this node's: it will not be removed")
	}
	if err != nil || current == (ray.Session{}) {
		return forever(ctx)
	}
	folder := filepath.Dir(current.Dir)
	owner := l.owner(folder)
	if folder == l.place.Temp {
		ray.Adopt(folder, owner)
	}
	for {
		r := l.now()
		former := current.Former(owner)
		for _, old := range former[min(r.Ray.KeepSessions-1, len(former)):] {
			l.remove(ctx, old, owner, r.Ray.KeepSessions)
		}
		if err := r.last(ctx); err != nil {
			return err
		}
	}
}

// remove removes a session as far as it comes before ctx ends. The next one to tidy goes on with what is left.
func (l *life) remove(ctx context.Context, old ray.Session, owner string, keep int) {
	log := l.log.WithField("session", old.Dir)
	held := old.Held(ctx)
	if ctx.Err() != nil {
		return
	}
	if held {
		log.Infof("kept %s, which a program still uses", old.Dir)
		return
	}
	did := "removed"
	var err error
	if old.Shared(owner) {
		did, err = "left to the others that use it", old.Leave(owner)
	} else {
		err = old.Remove(ctx, owner)
	}
	switch {
	case err == nil:
		log.Infof("%s %s: ray.keep_sessions is %d", did, old.Dir, keep)
	case ctx.Err() == nil:
		log.WithError(err).Warnf("cannot remove %s", old.Dir)
	}
}
