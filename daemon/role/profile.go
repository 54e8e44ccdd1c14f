package role

import (
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Profile is a named set of environment variables for one way to train or one kind of network, made
// by LoadProfile.
type Profile struct {
	Name string `toml:"-"` // the file's base name without ".toml"
	File string `toml:"-"`

	About string                  `toml:"about"` // one line
	Env   map[string]ProfileValue `toml:"env"`
	// Omitted are variables that others set for the same purpose and this profile does not, each
	// with the reason.
	Omitted map[string]ProfileValue `toml:"omitted"`
}

// ProfileValue is one value of a profile, and why the profile has it.
type ProfileValue struct {
	Value  string `toml:"value"` // "" = make sure that it is unset, and derive nothing
	Reason string `toml:"reason"`
	Source string `toml:"source"` // where the reason was read or measured
	Date   string `toml:"date"`   // when it was last checked: 2026-11-25
}

// LoadProfile reads a profile. The error is Problems if the file is wrong: everything that is wrong
// with it, and no Profile.
func LoadProfile(path string) (*Profile, error) {
	l := newLoader()
	p := Profile{Name: strings.TrimSuffix(filepath.Base(path), ".toml"), File: path}
	l.role.Files = []string{path}
	data, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	root, problem := parse(path, data)
	if problem != nil {
		return nil, Problems{*problem}
	}
	l.main, l.current, l.top = root, root, reflect.TypeFor[Profile]()
	l.table(root, reflect.ValueOf(&p).Elem())
	l.missing("about", "must say in one line what the profile is for")
	l.checkProfileValues("env", p.Env)
	l.checkProfileValues("omitted", p.Omitted)
	if len(l.problems) > 0 {
		l.sortProblems()
		return nil, l.problems
	}
	return &p, nil
}

func (l *loader) checkProfileValues(table string, settings map[string]ProfileValue) {
	for name, s := range settings {
		part := func(of string) string { return toml.Key{table, name, of}.String() }
		key := toml.Key{table, name}.String()
		if table == "env" {
			l.checkVariableValue(EnvFrom{}, key, name, s.Value)
		}
		l.missing(part("value"), `must be a string; "" means that it must not be set`)
		l.missing(part("reason"), "must say why this value and no other")
		l.missing(part("source"), "must say where that was read or measured")
		l.missing(part("date"), "must be the day when it was last looked at, such as 2026-11-25")
		l.check(s.Reason != "", part("reason"), "must say why this value and no other", s.Reason)
		l.check(s.Source != "", part("source"), "must say where that was read or measured", s.Source)
		_, err := time.Parse(time.DateOnly, s.Date)
		l.check(err == nil, part("date"), "must be a day such as \"2026-11-25\"", s.Date)
	}
}
