package role

import (
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/BurntSushi/toml"
)

// decode puts the value of a node into the part of the role that target points
// at. A wrong one is a complaint and leaves the target alone.
func (l *loader) decode(n *node, target any) {
	l.remember(n)
	switch t := target.(type) {
	case value:
		l.word(n, t)
	case *string:
		set(t, n, l.text)
	case *bool:
		set(t, n, l.truth)
	case *int:
		set(t, n, l.whole)
	case **int:
		*t = new(int)
		set(*t, n, l.whole)
	case *[]string:
		set(t, n, l.list)
	case *map[string]float64:
		fill(l, t, n, l.number)
	case *map[string]string:
		fill(l, t, n, l.text)
	case *map[string]ProfileValue:
		fill(l, t, n, l.setting)
	case *map[string]any:
		l.free(t, n)
	default:
		l.table(n, reflect.ValueOf(target).Elem())
	}
}

func set[T any](target *T, n *node, read func(*node) (T, bool)) {
	if v, ok := read(n); ok {
		*target = v
	}
}

// table decodes the keys of a table into a struct, or into the new struct of a
// nil pointer.
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
			l.unknown(child, known)
			continue
		}
		l.decode(child, target.FieldByIndex(known[i].Index).Addr().Interface())
	}
}

func (l *loader) isTable(n *node) bool {
	_, ok := is[map[string]any](l, n, n.value, "must be a table")
	return ok
}

func (l *loader) word(n *node, target value) {
	if s, ok := is[string](l, n, n.value, mustBe(target)); ok {
		if err := target.UnmarshalText([]byte(s)); err != nil {
			l.refuse(n, err.Error(), s)
		}
	}
}

// is complains about a value, or a part of one, of another type than T.
func is[T any](l *loader, n *node, v any, must string) (T, bool) {
	t, ok := v.(T)
	if !ok {
		l.refuse(n, must, v)
	}
	return t, ok
}

func (l *loader) text(n *node) (string, bool) {
	s, ok := is[string](l, n, n.value, "must be a string")
	return s, ok && l.printable(n, s)
}

func (l *loader) printable(n *node, s string) bool {
	char, bad := control(s)
	if bad {
		l.refuse(n, "must not contain control characters", char)
	}
	return !bad
}

func (l *loader) truth(n *node) (bool, bool) {
	return is[bool](l, n, n.value, "must be true or false")
}

func (l *loader) whole(n *node) (int, bool) {
	i, ok := is[int64](l, n, n.value, "must be a whole number")
	return int(i), ok
}

func (l *loader) number(n *node) (float64, bool) {
	if i, ok := n.value.(int64); ok {
		return float64(i), true
	}
	return is[float64](l, n, n.value, "must be a number")
}

func (l *loader) list(n *node) ([]string, bool) {
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

// fill lays a table with keys of the user's choice over a map.
func fill[T any](l *loader, target *map[string]T, n *node, read func(*node) (T, bool)) {
	if !l.isTable(n) {
		return
	}
	if *target == nil {
		*target = map[string]T{}
	}
	for name, child := range n.table {
		l.remember(child)
		if v, ok := read(child); ok && l.printable(child, name) {
			(*target)[name] = v
		}
	}
}

// setting reads one of a profile's.
func (l *loader) setting(n *node) (ProfileValue, bool) {
	var s ProfileValue
	l.table(n, reflect.ValueOf(&s).Elem())
	return s, n.table != nil
}

// free lays a table of any shape over a map, tables inside it likewise.
func (l *loader) free(target *map[string]any, n *node) {
	fill(l, target, n, func(child *node) (any, bool) {
		if child.table == nil {
			return child.value, l.plain(child, child.value)
		}
		inner, _ := (*target)[child.key[len(child.key)-1]].(map[string]any)
		l.free(&inner, child)
		return inner, true
	})
}

// plain complains about what has no form in JSON or in a command line.
func (l *loader) plain(n *node, v any) bool {
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
		return !slices.ContainsFunc(v, func(item any) bool { return !l.plain(n, item) })
	case []map[string]any:
		return !slices.ContainsFunc(v, func(item map[string]any) bool { return !l.plain(n, item) })
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if !l.printable(n, name) || !l.plain(n, v[name]) {
				return false
			}
		}
	}
	return true
}

// remember notes where a key was last given, and for a table where first.
func (l *loader) remember(n *node) {
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

// isRefused reports whether a key, or a table that it is in, was complained
// about, so that nothing follows from its value.
func (l *loader) isRefused(key toml.Key) bool {
	for i := range key {
		if l.refused[key[:i+1].String()] {
			return true
		}
	}
	return false
}
