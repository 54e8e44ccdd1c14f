package ray

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Session is the folder of one session of Ray: logs, sockets and what was spilled. A node that comes back to its cluster has
// the same one again.
type Session struct {
	Dir  string
	used time.Time // when a node last began to use it
}

// mark is the file in a session's folder that says whose it is.
func mark(owner string) string { return "of-raynoded-" + owner }

// Claim marks the session that a program has its logs in as one of owner's, and used since now. Of a program that does not
// say where that is, there is none.
func Claim(p Program, owner string) (Session, error) {
	if p.LogDir == "" {
		return Session{}, nil
	}
	s := Session{Dir: filepath.Dir(p.LogDir)}
	return s, os.WriteFile(filepath.Join(s.Dir, mark(owner)), nil, 0o644)
}

// Adopt marks the sessions in a folder that is owner's alone, each as used when it was last changed: a start that was stopped
// before any program of it was seen has left one, too.
func Adopt(dir, owner string) {
	sessions, _ := filepath.Glob(filepath.Join(dir, "session_*"))
	for _, path := range sessions {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() {
			continue
		}
		own, err := os.OpenFile(filepath.Join(path, mark(owner)), os.O_CREATE|os.O_EXCL, 0o644)
		if err != nil {
			continue // it has its mark
		}
		_ = own.Close()
		_ = os.Chtimes(own.Name(), info.ModTime(), info.ModTime())
	}
}

// Former lists the other sessions of owner's beside s, the one used last first.
func (s Session) Former(owner string) []Session {
	marks, _ := filepath.Glob(filepath.Join(filepath.Dir(s.Dir), "session_*", mark(owner)))
	var former []Session
	for _, path := range marks {
		info, err := os.Stat(path)
		linked, _ := os.Lstat(filepath.Dir(path))
		if dir := filepath.Dir(path); err == nil && dir != s.Dir && linked.IsDir() { // session_latest is a link
			former = append(former, Session{Dir: dir, used: info.ModTime()})
		}
	}
	slices.SortFunc(former, func(a, b Session) int { return cmp.Or(b.used.Compare(a.used), strings.Compare(b.Dir, a.Dir)) })
	return former
}

// Held says whether a process has something of the session: in its command line, as Ray's own have, or open, as far as this
// user may see that.
func (s Session) Held() bool {
	procs, _ := filepath.Glob("/proc/[0-9]*")
	return slices.ContainsFunc(procs, func(proc string) bool {
		line, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
		return strings.Contains(string(line), s.Dir+"/") || s.open(filepath.Join(proc, "fd"))
	})
}

func (s Session) open(fds string) bool {
	entries, _ := os.ReadDir(fds)
	return slices.ContainsFunc(entries, func(fd os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(fds, fd.Name()))
		return err == nil && strings.HasPrefix(target, s.Dir+"/")
	})
}
