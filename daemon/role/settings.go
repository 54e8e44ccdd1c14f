package role

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// Setting is one key of a merged role that has a value.
type Setting struct {
	Key   string `json:"key"`
	Value any    `json:"value"` // a string, a bool, a number, or an array or table of these
	// File and Line are the place of the value: "" and 0 for a default.
	File string `json:"file"`
	Line int    `json:"line"`
	Live bool   `json:"live"` // see Change

	path toml.Key
}

// Settings returns each key that has a value, given or by default, in the order of Role's fields,
// or the error of Load. In a table whose keys the user chooses, each entry is a key. No value is a
// secret.
func (f Files) Settings() ([]Setting, error) {
	l, err := f.load()
	if err != nil {
		return nil, err
	}
	var all []Setting
	v := reflect.ValueOf(&l.role).Elem()
	walk(v, v, toml.Key{}, false, func(key toml.Key, live bool, v, _ reflect.Value) {
		if l.role.Kind != Worker || key[0] != "job" { // a worker's file must not have a [job]
			all = l.settings(all, key, live, v)
		}
	})
	return all, nil
}

// settings adds the settings of one key: its value, or the entries of its table.
func (l *loader) settings(all []Setting, key toml.Key, live bool, v reflect.Value) []Setting {
	given := l.origins[key.String()]
	switch {
	case v.Kind() == reflect.Map:
		for _, name := range slices.SortedFunc(slices.Values(v.MapKeys()), byName) {
			inner := append(key[:len(key):len(key)], name.String())
			all = l.settings(all, inner, live, v.MapIndex(name))
		}
		return all
	case v.Kind() == reflect.Pointer && v.IsNil(), given == nil && hasNoText(v):
		return all
	case v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct:
		walk(v.Elem(), v.Elem(), key, live, func(key toml.Key, live bool, v, _ reflect.Value) {
			all = l.settings(all, key, live, v)
		})
		return all
	}
	s := Setting{Key: key.String(), Value: fileValue(v), Live: live, path: key}
	if given != nil {
		s.File = given.doc.path
		s.Line, _ = given.doc.place(given.start())
	}
	return append(all, s)
}

func byName(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }

// hasNoText reports whether the value of a key that no file has cannot be written, such as the zero
// value of an address.
func hasNoText(v reflect.Value) bool {
	_, word := reflect.New(v.Type()).Interface().(value)
	return word && v.IsZero() && v.Type() != reflect.TypeFor[Duration]()
}

// fileValue is a value as a role file has it.
func fileValue(v reflect.Value) any {
	switch t := v.Interface().(type) {
	case Duration:
		return t.text()
	case Size:
		return t.text()
	case Address:
		return t.String()
	case *int:
		return *t
	case []string:
		return append([]string{}, t...)
	}
	if v.Kind() == reflect.String {
		return v.String()
	}
	return v.Interface()
}

// TOML writes settings as a role file with the same meaning, each with its origin in a comment.
func TOML(all []Setting) string {
	var tables []string
	lines := map[string][]string{}
	for _, s := range all {
		table := s.path[:len(s.path)-1].String()
		if !slices.Contains(tables, table) {
			tables = append(tables, table)
		}
		name := s.path[len(s.path)-1:].String()
		lines[table] = append(lines[table], fmt.Sprintf("%s = %s  # %s", name, literal(s.Value), s.origin()))
	}
	var b strings.Builder
	for _, table := range tables {
		if table != "" {
			b.WriteString("\n[" + table + "]\n")
		}
		b.WriteString(strings.Join(lines[table], "\n") + "\n")
	}
	return b.String()
}

func (s Setting) origin() string {
	if s.File == "" {
		return "default"
	}
	return fmt.Sprintf("%s:%d", oneLine(s.File), s.Line)
}

// literal writes a value in TOML. The strings of a role have no control characters, so Go's quotes
// are those of TOML.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return strconv.Quote(v)
	case []string:
		return array(v)
	case []any:
		return array(v)
	case []map[string]any:
		return array(v)
	case map[string]any:
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, toml.Key{name}.String()+" = "+literal(v[name]))
		}
		return "{ " + strings.Join(pairs, ", ") + " }"
	default:
		return fmt.Sprint(v)
	}
}

func array[T any](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = literal(item)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}
