package role

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
)

// ErrNoFile says that there is no role file, in contrast to a wrong one.
var ErrNoFile = errors.New("there is no role file")

// Load reads the role file at path, and then each *.toml in the folder path + ".d" in name order: a
// later key wins, tables merge, arrays replace. Hidden files and other names in the folder are
// ignored. The folder need not exist.
//
// A file may have 1 MiB and 1,000 keys, a key 32 parts, the folder 1,000 drop-ins.
//
// The error wraps ErrNoFile if there is nothing at path. It is Problems if the files are wrong:
// everything that is wrong with them, and no Role.
func Load(path string) (*Role, error) { return Read(path).Load() }

// Load makes the role from the files, as the function Load does.
func (f Files) Load() (*Role, error) {
	l, err := f.load()
	if err != nil {
		return nil, err
	}
	return &l.role, nil
}

func (f Files) load() (*loader, error) {
	main := f.texts[0]
	if Name(main.path) == "" {
		return nil, fmt.Errorf("cannot load %s: the name of a role file must be NAME.toml", main.path)
	}
	if errors.Is(main.err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot load %s: %w", main.path, ErrNoFile)
	}
	l := newLoader()
	l.role.Name = Name(main.path)
	l.path = main.path
	for _, t := range f.texts {
		l.add(t.path, t.data, t.err)
	}
	return l, l.finish()
}

// loader applies files to the defaults and collects the complaints.
type loader struct {
	role     Role
	path     string           // of the role file
	top      reflect.Type     // the struct for the whole file: its keys are suggested
	main     *node            // the role file
	current  *node            // the file being read; nil after the last one
	origins  map[string]*node // key → its last value, or its first table
	refused  map[string]bool  // keys with a complaint about their last value
	meant    map[string]bool  // keys that were suggested for an unknown one
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

// add applies one file to the role. It takes what reading the file returned.
func (l *loader) add(path string, data []byte, err error) {
	l.role.Files = append(l.role.Files, path)
	if err != nil {
		l.addFileProblem(Problem{File: path, Line: 1, Col: 1, Text: err.Error()})
		return
	}
	root, problem := parse(path, data)
	if problem != nil {
		l.addFileProblem(*problem)
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

// addFileProblem adds a complaint about a whole file.
func (l *loader) addFileProblem(p Problem) {
	l.broken = true
	l.problems = append(l.problems, p)
}

func (l *loader) finish() error {
	if !l.broken {
		l.checkTogether()
	}
	if len(l.problems) == 0 {
		return nil
	}
	l.sortProblems()
	return l.problems
}

// sortProblems puts the complaints in the order of files and places.
func (l *loader) sortProblems() {
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
