package filewatch

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// inode tells a folder from another folder that has taken its name.
type inode struct{ dev, ino uint64 }

// route is all places where a change of some paths can happen.
type route struct {
	folders  map[string]inode // that exist, by their real paths
	names    map[string]bool  // in these folders: of folders, links and files
	patterns []string         // in these folders
}

// maxLinks is how many links the kernel follows for one path.
const maxLinks = 40

// findRoute walks to each path as the kernel would, as far as the path exists.
func findRoute(paths []string) route {
	w := route{folders: map[string]inode{}, names: map[string]bool{}}
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

// links walks to the targets of the links among the files of a pattern.
func (w *route) links(folder, pattern string) {
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

// matches says whether a pattern means a file of its folder.
func matches(pattern, name string) bool {
	name = filepath.Base(name)
	return strings.HasSuffix(name, filepath.Base(pattern)[1:]) && !strings.HasPrefix(name, ".")
}

// walk notes every folder, link and name on the route to a path. It returns the real path, and
// whether it exists.
func (w *route) walk(path string) (string, bool) {
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

// enter notes a folder, and says whether there is one.
func (w *route) enter(folder string) bool {
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

// elements returns the names in a path, without those that mean nothing. ".." is kept, as it has a
// meaning behind a link.
func elements(path string) []string {
	var names []string
	for name := range strings.SplitSeq(path, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}
