package role

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/BurntSushi/toml"
)

// decode stores the value of a node in target, a pointer to a part of the role. A wrong value is a
// complaint and leaves the target unchanged.
func (l *loader) decode(n *node, target any) {
	l.recordOrigin(n)
	switch t := target.(type) {
	case value:
		l.decodeText(n, t)
	case *string:
		set(t, n, l.stringOf)
	case *bool:
		set(t, n, l.boolean)
	case *int:
		set(t, n, l.integer)
	case **int:
		*t = new(int)
		set(*t, n, l.integer)
	case *[]string:
		set(t, n, l.stringList)
	case *map[string]float64:
		fill(l, t, n, l.float)
	case *map[string]string:
		fill(l, t, n, l.stringOf)
	case *map[string]ProfileValue:
		fill(l, t, n, l.profileValue)
	case *map[string]any:
		l.anyTable(t, n)
	default:
		l.table(n, reflect.ValueOf(target).Elem())
	}
}

func set[T any](target *T, n *node, read func(*node) (T, bool)) {
	if v, ok := read(n); ok {
		*target = v
	}
}

// table decodes the keys of a table into a struct, or into a new struct if target is a nil pointer.
func (l *loader) table(n *node, target reflect.Value) {
	if !l.isTable(n) {
		return
	}
	if target.Kind() == reflect.Pointer {
		if target.IsNil() {
			target.Set(reflect.New(target.Type().Elem()))
		}
		target = target.Elem()
	}
	known := fields(target.Type())
	for key, child := range n.table {
		i := slices.IndexFunc(known, func(f reflect.StructField) bool { return keyOf(f) == key })
		if i < 0 {
			l.unknownKey(child, known)
			continue
		}
		l.decode(child, target.FieldByIndex(known[i].Index).Addr().Interface())
	}
}

func (l *loader) isTable(n *node) bool {
	_, ok := is[map[string]any](l, n, n.value, "must be a table")
	return ok
}

func (l *loader) decodeText(n *node, target value) {
	if s, ok := is[string](l, n, n.value, mustBe(target)); ok {
		if err := target.UnmarshalText([]byte(s)); err != nil {
			l.refuse(n, err.Error(), s)
		}
	}
}

// is returns a value, or a part of one, as a T. A value of another type is a complaint.
func is[T any](l *loader, n *node, v any, must string) (T, bool) {
	t, ok := v.(T)
	if !ok {
		l.refuse(n, must, v)
	}
	return t, ok
}

func (l *loader) stringOf(n *node) (string, bool) {
	s, ok := is[string](l, n, n.value, "must be a string")
	return s, ok && l.printable(n, s)
}

func (l *loader) printable(n *node, s string) bool {
	char, bad := controlCharacter(s)
	if bad {
		l.refuse(n, "must not contain control characters", char)
	}
	return !bad
}

func (l *loader) boolean(n *node) (bool, bool) {
	return is[bool](l, n, n.value, "must be true or false")
}

func (l *loader) integer(n *node) (int, bool) {
	i, ok := is[int64](l, n, n.value, "must be a whole number")
	return int(i), ok
}

func (l *loader) float(n *node) (float64, bool) {
	if i, ok := n.value.(int64); ok {
		return float64(i), true
	}
	return is[float64](l, n, n.value, "must be a number")
}

func (l *loader) stringList(n *node) ([]string, bool) {
	const must = "must be an array of strings"
	items, ok := is[[]any](l, n, n.value, must)
	if !ok {
		return nil, false
	}
	list := make([]string, len(items))
	for i, item := range items {
		if list[i], ok = is[string](l, n, item, must); !ok || !l.printable(n, list[i]) {
			return nil, false
		}
	}
	return list, true
}

// fill merges a table whose keys the user chooses into a map.
func fill[T any](l *loader, target *map[string]T, n *node, read func(*node) (T, bool)) {
	if !l.isTable(n) {
		return
	}
	if *target == nil {
		*target = map[string]T{}
	}
	for name, child := range n.table {
		l.recordOrigin(child)
		if v, ok := read(child); ok && l.printable(child, name) {
			(*target)[name] = v
		}
	}
}

// profileValue reads one variable of a profile.
func (l *loader) profileValue(n *node) (ProfileValue, bool) {
	var s ProfileValue
	l.table(n, reflect.ValueOf(&s).Elem())
	return s, n.table != nil
}

// anyTable merges a table of any shape into a map, with the tables inside it.
func (l *loader) anyTable(target *map[string]any, n *node) {
	fill(l, target, n, func(child *node) (any, bool) {
		if child.table == nil {
			return child.value, l.jsonable(child, child.value)
		}
		inner, _ := (*target)[child.key[len(child.key)-1]].(map[string]any)
		l.anyTable(&inner, child)
		return inner, true
	})
}

// jsonable complains about a value that JSON or a command line cannot hold.
func (l *loader) jsonable(n *node, v any) bool {
	switch v := v.(type) {
	case string:
		return l.printable(n, v)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			l.refuse(n, "must be a finite number", v)
			return false
		}
	case time.Time:
		l.refuse(n, "must be a string, a number, a boolean, an array or a table", v)
		return false
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !l.jsonable(n, item) })
	case []map[string]any:
		return !slices.ContainsFunc(v, func(item map[string]any) bool { return !l.jsonable(n, item) })
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !l.printable(n, name) || !l.jsonable(n, v[name]) {
				return false
			}
		}
	}
	return true
}

// recordOrigin records where a key was last given; for a table, where it was first given.
func (l *loader) recordOrigin(n *node) {
	delete(l.refused, n.name())
	if n.table == nil || l.origins[n.name()] == nil {
		l.origins[n.name()] = n
	}
}

// refuse complains about a value.
func (l *loader) refuse(n *node, must string, v any) {
	l.refused[n.name()] = true
	if !withheld(n.name(), v) {
		must += ", got " + got(v)
	}
	l.complain(n, n.name(), must)
}

func (l *loader) complain(n *node, key, text string) {
	line, col := n.doc.place(n.start())
	l.problems = append(l.problems, Problem{File: n.doc.path, Line: line, Col: col, Key: oneLine(key), Text: text})
}

// isRefused reports whether there was a complaint about a key or about a table that it is in.
// Nothing follows from such a value.
func (l *loader) isRefused(key toml.Key) bool {
	for i := range key {
		if l.refused[key[:i+1].String()] {
			return true
		}
	}
	return false
}
