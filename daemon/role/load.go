package role

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
)

// ErrNoFile says that there is no role file, as against a wrong one.
var ErrNoFile = errors.New("there is no role file")

// Limits of one load. They are far above any use and keep a mistake, such as a
// link to a log, from being read as a role.
const (
	maxFile    = 1 << 20 // bytes of one file
	maxDropIns = 1000
)

// Load reads the role file at path, then each *.toml of the folder path + ".d"
// in name order over it: a later key wins, tables merge, arrays replace. Hidden
// files and other names in the folder are ignored, and it need not exist.
//
// A file may have 1 MiB and 1,000 keys, the folder 1,000 drop-ins.
//
// The error wraps ErrNoFile if nothing is at path. What is wrong with the files
// is Problems: all of it, and then there is no Role.
func Load(path string) (*Role, error) {
	name := strings.TrimSuffix(filepath.Base(path), ".toml")
	if name == "" {
		return nil, fmt.Errorf("cannot load %s: the name of a role file must be NAME.toml", path)
	}
	l := newLoader()
	l.role.Name = name
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot load %s: %w", path, ErrNoFile)
	}
	l.add(path, data, err)
	l.addDropIns(path + ".d")
	return l.finish()
}

// loader lays files over the defaults and collects the complaints.
type loader struct {
	role     Role
	top      reflect.Type     // whose keys may have been meant
	main     *node            // the role file
	current  *node            // the file being read; nil once all are
	origins  map[string]*node // key → its last value, or its first table
	refused  map[string]bool  // keys whose last value was complained about
	meant    map[string]bool  // keys that an unknown key was likely meant to be
	broken   bool             // a file could not be read or parsed
	problems Problems
}

func newLoader() *loader {
	return &loader{
		role:    defaults(),
		top:     reflect.TypeFor[Role](),
		origins: map[string]*node{},
		refused: map[string]bool{},
		meant:   map[string]bool{},
	}
}

// add lays one file over the role. It takes what reading the file returned.
func (l *loader) add(path string, data []byte, err error) {
	l.role.Files = append(l.role.Files, path)
	if err != nil {
		l.fault(Problem{File: path, Line: 1, Col: 1, Text: err.Error()})
		return
	}
	root, problem := parse(path, data)
	if problem != nil {
		l.fault(*problem)
		return
	}
	if l.main == nil {
		l.main = root
	}
	l.current = root
	l.table(root, reflect.ValueOf(&l.role).Elem())
	l.checkValues()
	l.current = nil
}

// fault is a complaint about a whole file.
func (l *loader) fault(p Problem) {
	l.broken = true
	l.problems = append(l.problems, p)
}

func (l *loader) addDropIns(folder string) {
	paths, err := dropIns(folder)
	if err != nil {
		l.add(folder, nil, err)
	}
	for _, path := range paths {
		data, err := readFile(path)
		l.add(path, data, err)
	}
}

func (l *loader) finish() (*Role, error) {
	if !l.broken {
		l.checkTogether()
	}
	if len(l.problems) == 0 {
		return &l.role, nil
	}
	l.sort()
	return nil, l.problems
}

// sort puts the complaints in the order of files and places.
func (l *loader) sort() {
	slices.SortFunc(l.problems, func(a, b Problem) int {
		return cmp.Or(
			slices.Index(l.role.Files, a.File)-slices.Index(l.role.Files, b.File),
			a.Line-b.Line,
			a.Col-b.Col,
			strings.Compare(a.Key, b.Key),
			strings.Compare(a.Text, b.Text),
		)
	})
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
		name := entry.Name()
		if filepath.Ext(name) == ".toml" && !strings.HasPrefix(name, ".") {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	if len(paths) > maxDropIns {
		return nil, fmt.Errorf("must hold at most %d drop-ins, got %d", maxDropIns, len(paths))
	}
	return paths, nil
}

// readFile reads a regular file of at most maxFile bytes. It never waits, as the
// opening of a pipe would.
func readFile(path string) ([]byte, error) {
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
