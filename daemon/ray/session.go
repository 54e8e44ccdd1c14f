package ray

import (
	"cmp"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Session is the folder of one session of Ray: logs, sockets and what was spilled. A node that
// comes back to its cluster has the same one again.
type Session struct {
	Dir  string
	used time.Time // when a node last began to use it
}

// marks is how the files in a session's folder begin that say whose it is. Several nodes of one
// cluster may have it together.
const marks = "of-raynoded-"

func mark(owner string) string { return marks + owner }

// SessionOf is the session that a program has its logs in; the zero Session if its command line
// does not say where that is.
func SessionOf(p Program) Session {
	if p.LogDir == "" {
		return Session{}
	}
	return Session{Dir: filepath.Dir(p.LogDir)}
}

// Claim marks the session as one of owner's, and used since now.
func (s Session) Claim(owner string) error { return s.mark(owner, os.O_CREATE, time.Now()) }

// Adopt marks the sessions in a folder that is owner's alone, each as used when it was last
// changed: a start that was stopped before any program of it was seen has left one, too.
func Adopt(dir, owner string) {
	for _, s := range sessions(dir) {
		info, err := os.Lstat(s.Dir)
		if err == nil && own(info) {
			_ = s.mark(owner, os.O_CREATE|os.O_EXCL, info.ModTime()) // it may have its mark
		}
	}
}

// mark makes the mark, or takes one of this user's that is there.
func (s Session) mark(owner string, flags int, used time.Time) error {
	if info, err := os.Lstat(s.Dir); err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mark", Path: s.Dir, Err: unix.ENOTDIR}
	}
	f, err := openOwn(filepath.Join(s.Dir, mark(owner)), flags)
	if err != nil {
		return err
	}
	defer f.Close()
	now := unix.NsecToTimeval(used.UnixNano())
	return unix.Futimes(int(f.Fd()), []unix.Timeval{now, now})
}

// Former lists the other sessions of owner's beside s.
func (s Session) Former(owner string) []Session {
	return slices.DeleteFunc(Sessions(filepath.Dir(s.Dir), owner), func(o Session) bool { return o.Dir == s.Dir })
}

// Sessions lists the sessions of owner's in a folder, the one used last first. A mark that another
// user made is not owner's.
func Sessions(dir, owner string) []Session {
	var marked []Session
	for _, s := range sessions(dir) {
		info, err := os.Lstat(filepath.Join(s.Dir, mark(owner)))
		if err == nil && info.Mode().IsRegular() && own(info) {
			marked = append(marked, Session{Dir: s.Dir, used: info.ModTime()})
		}
	}
	slices.SortFunc(
		marked,
		func(a, b Session) int { return cmp.Or(b.used.Compare(a.used), strings.Compare(b.Dir, a.Dir)) },
	)
	return marked
}

// sessions lists the folders of sessions in a folder. session_latest is a link, and none of them.
func sessions(dir string) []Session {
	entries, _ := os.ReadDir(dir)
	var all []Session
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), "session_") {
			all = append(all, Session{Dir: filepath.Join(dir, e.Name())})
		}
	}
	return all
}

// Shared says whether others than owner have marked the session as theirs, too.
func (s Session) Shared(owner string) bool {
	entries, _ := os.ReadDir(s.Dir)
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return strings.HasPrefix(e.Name(), marks) && e.Name() != mark(owner)
	})
}

// Leave leaves a session to the others who have marked it. If they have all left meanwhile, it is
// removed.
func (s Session) Leave(ctx context.Context, owner string) error {
	if err := os.Remove(filepath.Join(s.Dir, mark(owner))); err != nil || s.Shared(owner) {
		return err
	}
	return s.Remove(ctx, owner)
}

// Held says whether a process has something of the session: in its command line, as Ray's own have,
// or open, as far as this user may see that. Where ctx ends before all were looked at, nobody knows
// that none has.
func (s Session) Held(ctx context.Context) bool {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	return slices.ContainsFunc(procs, func(proc string) bool {
		line, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		return strings.Contains(string(line), s.Dir+"/") || s.open(filepath.Join(proc, "fd")) || ctx.Err() != nil
	})
}

func (s Session) open(fds string) bool {
	entries, _ := os.ReadDir(fds)
	return slices.ContainsFunc(entries, func(fd os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(fds, fd.Name()))
		return err == nil && strings.HasPrefix(target, s.Dir+"/")
	})
}
