package daemon

import (
	"context"
	"path/filepath"
	"time"

	"github.com/raynoded/raynoded/daemon/ray"
)

// tidyFirstTimeout is how long a start waits for old sessions to go.
const tidyFirstTimeout = time.Second

// tidyFirst removes old sessions before Ray starts: a Ray that fails while it starts, again and
// again, leaves one each time. All that are to be kept stay, as the one that Ray will use may be
// among them.
func (l *life) tidyFirst(ctx context.Context) error {
	brief, cancel := context.WithTimeout(ctx, tidyFirstTimeout)
	defer cancel()
	owner, keep := l.owner(l.node.TempDir), l.roles.now().Ray.KeepSessions
	l.adopt(l.node.TempDir)
	l.shrink(brief, ray.Sessions(l.node.TempDir, owner), keep, owner)
	return context.Cause(ctx)
}

// tidy removes the sessions that are older than ray.keep_sessions wants, again when the role is
// replaced: Ray itself never removes one. Others' are not touched, nor is one that a program still
// has open.
func (l *life) tidy(ctx context.Context) error {
	current, err := l.processes.claimSession(l.program)
	if err != nil {
		l.log.WithError(err).Warn("cannot claim Ray's session as this node's: it will not be removed")
	}
	if err != nil || current == (ray.Session{}) {
		return forever(ctx)
	}
	folder := filepath.Dir(current.Dir)
	owner := l.owner(folder)
	l.adopt(folder)
	for {
		r := l.roles.now()
		l.shrink(ctx, current.Former(owner), r.Ray.KeepSessions-1, owner)
		if err := r.last(ctx); err != nil {
			return err
		}
	}
}

// adopt takes what is in our own folder without an owner file.
func (l *life) adopt(folder string) {
	if folder == l.dirs.Temp {
		ray.ClaimAll(folder, l.owner(folder))
	}
}

// shrink removes all sessions but the first few.
func (l *life) shrink(ctx context.Context, all []ray.Session, few int, owner string) {
	for _, old := range all[min(few, len(all)):] {
		if ctx.Err() != nil {
			return
		}
		l.remove(ctx, old, owner)
	}
}

// remove removes a session as far as it comes before ctx ends. The next one to tidy goes on with
// what is left.
func (l *life) remove(ctx context.Context, old ray.Session, owner string) {
	log := l.log.WithField("session", old.Dir)
	held := old.InUse(ctx)
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
		did, err = "left to the others that use it", old.Leave(ctx, owner)
	} else {
		err = old.Remove(ctx, owner)
	}
	switch {
	case err == nil:
		log.Infof("%s %s: ray.keep_sessions is %d", did, old.Dir, l.roles.now().Ray.KeepSessions)
	case ctx.Err() == nil:
		log.WithError(err).Warnf("cannot remove %s", old.Dir)
	}
}

// owner names whose sessions in a folder are this node's.
func (l *life) owner(folder string) string { return l.dirs.SessionOwner(l.role().Name, folder) }
