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

// Limits of one load. They are far above any use and keep a mistake, such as a
// link to a log, from being read as a role.
const (
	maxFile    = 1 << 20 // bytes of one file
	maxDropIns = 1000
)

// suffix is what the folder of a role file's drop-ins has behind its name.
const suffix = ".d"

// Files are a role file and its drop-ins as they were when they were read. Read
// and ReadAs make them.
type Files struct {
	texts []text // the role file, then its drop-ins in name order
}

// text is what reading one file returned. The folder of the drop-ins is one too
// if it cannot be listed.
type text struct {
	path string
	data []byte
	err  error
}

// Read reads the role file at path and its drop-ins. What cannot be read is a
// complaint of Load.
func Read(path string) Files {
	f := Files{texts: []text{read(path, path)}}
	drops, err := dropIns(path + suffix)
	if err != nil {
		f.texts = append(f.texts, text{path: path + suffix, err: err})
	}
	for _, drop := range drops {
		f.texts = append(f.texts, read(drop, drop))
	}
	return f
}

// ReadAs reads the files of a role in which the file at path has the place of
// another one, or of one that is not there yet: of the role file itself, or of a
// drop-in, NAME.toml.d/DROP-IN.toml. Complaints name the place.
func ReadAs(path, place string) Files {
	place = filepath.Clean(place)
	main, isDropIn := strings.CutSuffix(filepath.Dir(place), ".toml"+suffix)
	if !isDropIn {
		f := Read(place)
		f.texts[0] = read(path, place)
		return f
	}
	f := Read(main + ".toml")
	drops := slices.DeleteFunc(f.texts[1:], func(t text) bool { return t.path == place })
	if named(filepath.Base(place)) {
		drops = append(drops, read(path, place))
	}
	slices.SortFunc(drops, func(a, b text) int { return strings.Compare(a.path, b.path) })
	return Files{texts: append(f.texts[:1:1], drops...)}
}

// Name is the instance that a role file at path is of: its base name without
// ".toml".
func Name(path string) string { return strings.TrimSuffix(filepath.Base(path), ".toml") }

// Paths says where the files of the role at path are: the role file, and the
// pattern of its drop-ins.
func Paths(path string) []string { return []string{path, filepath.Join(path+suffix, "*.toml")} }

// Path is where the role file was read.
func (f Files) Path() string { return f.texts[0].path }

// Same reports whether nothing has changed between two readings: no file, no
// content, and nothing of why one could not be read.
func (f Files) Same(g Files) bool { return slices.EqualFunc(f.texts, g.texts, text.same) }

// Finished reports whether the files look as if nobody were still writing one. A
// file that has changed since before must end with its line; files that make no
// role may be half of one that does. Both are guesses: half a file may make a role,
// and end with a line.
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

// named reports whether a file of that name in the folder is a drop-in.
func named(name string) bool {
	return filepath.Ext(name) == ".toml" && !strings.HasPrefix(name, ".")
}

// dropIns are the paths of the folder's *.toml in name order.
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
		if named(entry.Name()) {
			paths = append(paths, filepath.Join(folder, entry.Name()))
		}
	}
	if len(paths) > maxDropIns {
		return nil, fmt.Errorf("must hold at most %d drop-ins, got %d", maxDropIns, len(paths))
	}
	return paths, nil
}

// ReadFile reads a regular file of at most 1 MiB. It never waits, as the opening of
// a pipe would. Errors leave out the path.
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

// reason is an error without the path, which a complaint already has.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
