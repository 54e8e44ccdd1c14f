package role

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of one load. They are far above any use. They stop a mistake, such as a link to a log,
// from being read as a role.
const (
	maxFile    = 1 << 20 // bytes of one file
	maxDropIns = 1000
)

// dropInSuffix is added to the path of a role file for the folder of its drop-ins.
const dropInSuffix = ".d"

// Files are a role file and its drop-ins as they were when they were read, by Read or ReadAs.
type Files struct {
	texts []text // the role file, then its drop-ins in name order
}

// text is what reading one file returned. A folder of drop-ins that cannot be listed is one, too.
type text struct {
	path string
	data []byte
	err  error
}

// Read reads the role file at path and its drop-ins. Load complains about what cannot be read.
func Read(path string) Files {
	f := Files{texts: []text{read(path, path)}}
	drops, err := dropIns(path + dropInSuffix)
	if err != nil {
		f.texts = append(f.texts, text{path: path + dropInSuffix, err: err})
	}
	for _, drop := range drops {
		f.texts = append(f.texts, read(drop, drop))
	}
	return f
}

// ReadAs reads a role as if the file at path were already at place: the role file, or one of its
// drop-ins, NAME.toml.d/DROP-IN.toml. There may be another file at place, or none. Complaints name
// the place.
func ReadAs(path, place string) Files {
	place = filepath.Clean(place)
	if why := neverRead(place); why != "" && place != filepath.Clean(path) {
		return Files{texts: []text{{path: place, err: errors.New(why)}}}
	}
	main, inFolder := strings.CutSuffix(filepath.Dir(place), ".toml"+dropInSuffix)
	if !inFolder {
		f := Read(place)
		f.texts[0] = read(path, place)
		return f
	}
	f := Read(main + ".toml")
	drops := slices.DeleteFunc(f.texts[1:], func(t text) bool { return t.path == place })
	drops = append(drops, read(path, place))
	slices.SortFunc(drops, func(a, b text) int { return strings.Compare(a.path, b.path) })
	return Files{texts: append(f.texts[:1:1], drops...)}
}

// unitFolder is where the units look for role files.
const unitFolder = "/etc/raynoded"

// neverRead says why a file at place would be ignored, or is empty if it would be read.
func neverRead(place string) string {
	folder, name := filepath.Split(place)
	folder = filepath.Clean(folder)
	main, isFolder := strings.CutSuffix(folder, ".d")
	switch {
	case strings.HasSuffix(folder, ".toml"+dropInSuffix):
		if !isDropIn(name) {
			return "must be named NAME.toml, without a dot in front, or it is never read"
		}
	case strings.Contains(folder, ".toml"+dropInSuffix+"/"):
		return "must be directly in the folder of the drop-ins, or it is never read"
	case isFolder && exists(main+".toml"):
		return fmt.Sprintf("must be in %s.toml%s, or it is never read", main, dropInSuffix)
	case folder == unitFolder && filepath.Ext(name) != ".toml":
		return "must be named NAME.toml, or no unit reads it"
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Name is the name of the instance whose role file is at path: its base name without ".toml".
func Name(path string) string { return strings.TrimSuffix(filepath.Base(path), ".toml") }

// Paths are the places of a role's files: the role file at path, and the pattern of its drop-ins.
func Paths(path string) []string { return []string{path, filepath.Join(path+dropInSuffix, "*.toml")} }

// Path is the place of the role file.
func (f Files) Path() string { return f.texts[0].path }

// Same reports whether two readings are equal: the same files with the same content, or with the
// same reason why one could not be read.
func (f Files) Same(g Files) bool { return slices.EqualFunc(f.texts, g.texts, text.same) }

// Finished reports whether it looks as if nobody were still writing one of the files: each file
// that has changed since before ends with a newline, and the files make a role. Both are guesses:
// half a file may end with a newline and make a role.
func (f Files) Finished(before Files) bool {
	for _, t := range f.texts {
		if !slices.ContainsFunc(before.texts, t.same) && !bytes.HasSuffix(t.data, []byte("\n")) {
			return false
		}
	}
	_, err := f.Load()
	return err == nil
}

func (t text) same(u text) bool {
	return t.path == u.path && bytes.Equal(t.data, u.data) && fmt.Sprint(t.err) == fmt.Sprint(u.err)
}

func read(path, place string) text {
	data, err := ReadFile(path)
	return text{path: place, data: data, err: err}
}

// isDropIn reports whether a file of that name in the folder is a drop-in.
func isDropIn(name string) bool {
	return filepath.Ext(name) == ".toml" && !strings.HasPrefix(name, ".")
}

// dropIns are the paths of the drop-ins in a folder, in name order.
func dropIns(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot list the drop-ins: %w", reason(err))
	}
	var paths []string
	for _, entry := range entries {
		if isDropIn(entry.Name()) {
			paths = append(paths, filepath.Join(folder, entry.Name()))
		}
	}
	if len(paths) > maxDropIns {
		return nil, fmt.Errorf("must hold at most %d drop-ins, got %d", maxDropIns, len(paths))
	}
	return paths, nil
}

// ReadFile reads a regular file of at most 1 MiB. It refuses a pipe, on which it would wait. Errors
// leave out the path.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read: %w", reason(err))
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("must be a regular file")
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("must be at most %d bytes long, got %d", maxFile, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read: %w", reason(err))
	}
	return data, nil
}

// reason is an error without the path, which the complaint already has.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
