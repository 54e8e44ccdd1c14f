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

// Session is the folder of one session of Ray: logs, sockets and spilled objects. A node that
// comes back to its cluster gets the same one again.
type Session struct {
	Dir  string
	used time.Time // when a node last began to use it
}

// ownerPrefix starts the names of the owner files in a session's folder, which say whose the
// session is. Several nodes of one cluster may share a session, each with an owner file.
const ownerPrefix = "of-raynoded-"

func ownerFile(owner string) string { return ownerPrefix + owner }

// SessionOf returns the session in which a program has its logs; the zero Session if its command
// line does not say where they are.
func SessionOf(p Program) Session {
	if p.LogDir == "" {
		return Session{}
	}
	return Session{Dir: filepath.Dir(p.LogDir)}
}

// Claim makes the session one of the owner's, in use from now on.
func (s Session) Claim(owner string) error { return s.writeOwnerFile(owner, os.O_CREATE, time.Now()) }

// ClaimAll claims the sessions in a folder that is the owner's alone, each as used when it was
// last changed. A start that was stopped before any of its programs was seen has left a session
// without an owner file.
func ClaimAll(dir, owner string) {
	for _, s := range sessions(dir) {
		info, err := os.Lstat(s.Dir)
		if err == nil && ownedByMe(info) {
			_ = s.writeOwnerFile(owner, os.O_CREATE|os.O_EXCL, info.ModTime()) // it may have its owner file already
		}
	}
}

// writeOwnerFile makes the owner file, or renews one that this user has made.
func (s Session) writeOwnerFile(owner string, flags int, used time.Time) error {
	if info, err := os.Lstat(s.Dir); err == nil && !info.IsDir() {
		return &fs.PathError{Op: "claim", Path: s.Dir, Err: unix.ENOTDIR}
	}
	f, err := openOwned(filepath.Join(s.Dir, ownerFile(owner)), flags)
	if err != nil {
		return err
	}
	defer f.Close()
	now := unix.NsecToTimeval(used.UnixNano())
	return unix.Futimes(int(f.Fd()), []unix.Timeval{now, now})
}

// Former lists the owner's sessions in the same folder, except s.
func (s Session) Former(owner string) []Session {
	return slices.DeleteFunc(Sessions(filepath.Dir(s.Dir), owner), func(o Session) bool { return o.Dir == s.Dir })
}

// Sessions lists the owner's sessions in a folder, the one used last first. An owner file that
// another user has made does not count.
func Sessions(dir, owner string) []Session {
	var owned []Session
	for _, s := range sessions(dir) {
		info, err := os.Lstat(filepath.Join(s.Dir, ownerFile(owner)))
		if err == nil && info.Mode().IsRegular() && ownedByMe(info) {
			owned = append(owned, Session{Dir: s.Dir, used: info.ModTime()})
		}
	}
	slices.SortFunc(
		owned,
		func(a, b Session) int { return cmp.Or(b.used.Compare(a.used), strings.Compare(b.Dir, a.Dir)) },
	)
	return owned
}

// sessions lists the folders of sessions in a folder. session_latest is a link and not one of
// them.
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

// Shared says whether others besides the owner have claimed the session.
func (s Session) Shared(owner string) bool {
	entries, _ := os.ReadDir(s.Dir)
	return slices.ContainsFunc(entries, func(e os.DirEntry) bool {
		return strings.HasPrefix(e.Name(), ownerPrefix) && e.Name() != ownerFile(owner)
	})
}

// Leave gives the owner's claim up and leaves the session to the others who have claimed it. If
// none of them is left by then, it removes the session.
func (s Session) Leave(ctx context.Context, owner string) error {
	if err := os.Remove(filepath.Join(s.Dir, ownerFile(owner))); err != nil || s.Shared(owner) {
		return err
	}
	return s.Remove(ctx, owner)
}

// InUse says whether a process uses the session: Ray's own name it in their command lines, and
// others have a file of it open, as far as this user may see that. If ctx ends before it has
// looked at all processes, the answer is yes, as nobody knows.
func (s Session) InUse(ctx context.Context) bool {
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
