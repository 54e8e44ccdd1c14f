package filewatch

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// inode tells a folder from another one that has taken its name.
type inode struct{ dev, ino uint64 }

// way is where a change of some paths can happen.
type way struct {
	folders  map[string]inode // that exist, by their real paths
	names    map[string]bool  // in these folders: of folders, links and files
	patterns []string         // in these folders
}

// maxLinks is how many links the kernel follows for one path.
const maxLinks = 40

// explore walks to each path as the kernel would, as far as there is something.
func explore(paths []string) way {
	w := way{folders: map[string]inode{}, names: map[string]bool{}}
	for _, path := range paths {
		if !strings.HasPrefix(filepath.Base(path), "*") {
			w.walk(path)
			continue
		}
		folder, found := w.walk(filepath.Dir(path))
		if !found || !w.enter(folder) {
			continue
		}
		w.patterns = append(w.patterns, filepath.Join(folder, filepath.Base(path)))
		w.links(folder, path)
	}
	return w
}

// links walks to what the links among a pattern's files point at.
func (w *way) links(folder, pattern string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if entry.Type()&os.ModeSymlink != 0 && matches(pattern, entry.Name()) {
			w.walk(filepath.Join(folder, entry.Name()))
		}
	}
}

// matches says whether a file of the folder of a pattern is meant by it.
func matches(pattern, name string) bool {
	name = filepath.Base(name)
	return strings.HasSuffix(name, filepath.Base(pattern)[1:]) && !strings.HasPrefix(name, ".")
}

// walk notes every folder, link and name on the way to a path. It returns the real path, and
// whether something is there.
func (w *way) walk(path string) (string, bool) {
	at, rest := "/", elements(path)
	for links := 0; len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			at = filepath.Dir(at)
			continue
		}
		if !w.enter(at) {
			return "", false
		}
		next := filepath.Join(at, name)
		w.names[next] = true
		target, err := os.Readlink(next)
		if err != nil {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", false
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(elements(target), rest...)
	}
	_, err := os.Lstat(at)
	return at, err == nil
}

// enter notes a folder; false if there is none.
func (w *way) enter(folder string) bool {
	if _, known := w.folders[folder]; known {
		return true
	}
	info, err := os.Lstat(folder)
	if err != nil || !info.IsDir() {
		return false
	}
	var id inode
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		id = inode{s.Dev, s.Ino}
	}
	w.folders[folder] = id
	return true
}

// elements are the names in a path. Those that mean nothing are left out; ".." is kept, as it is
// meant behind a link.
func elements(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}
