package role

import (
	"reflect"
	"slices"

	"github.com/BurntSushi/toml"
)

// Change is a key that two roles have different values of.
type Change struct {
	Key  string
	Live bool // the change applies to a running node; otherwise it needs a new Ray
}

// Diff returns the keys that differ, in the order of Role's fields. In a table whose keys the user
// chooses, each entry is a key.
func Diff(old, new *Role) []Change {
	var changes []Change
	walk(
		reflect.ValueOf(old).Elem(),
		reflect.ValueOf(new).Elem(),
		toml.Key{},
		false,
		func(key toml.Key, live bool, a, b reflect.Value) {
			for _, k := range changedKeys(key, a, b) {
				changes = append(changes, Change{Key: k.String(), Live: live})
			}
		},
	)
	return changes
}

// WithLive returns a copy of the role with the live keys of another one.
func (r *Role) WithLive(other *Role) *Role {
	merged := *r
	walk(
		reflect.ValueOf(&merged).Elem(),
		reflect.ValueOf(other).Elem(),
		toml.Key{},
		false,
		func(_ toml.Key, live bool, a, b reflect.Value) {
			if live {
				a.Set(b)
			}
		},
	)
	return &merged
}

// walk visits each key of two structs of one type. A table that may be missing is visited as a
// whole.
func walk(a, b reflect.Value, prefix toml.Key, live bool, visit func(key toml.Key, live bool, a, b reflect.Value)) {
	for _, field := range fields(a.Type()) {
		key := append(prefix[:len(prefix):len(prefix)], keyOf(field))
		live := live || field.Tag.Get("reload") == "live"
		x, y := a.FieldByIndex(field.Index), b.FieldByIndex(field.Index)
		if isTable(field.Type) {
			walk(x, y, key, live, visit)
		} else {
			visit(key, live, x, y)
		}
	}
}

// changedKeys are the key if its two values differ, or the entries that differ in a table.
func changedKeys(key toml.Key, a, b reflect.Value) []toml.Key {
	if a.Kind() != reflect.Map {
		if same(a, b) {
			return nil
		}
		return []toml.Key{key}
	}
	var names []string
	for _, name := range slices.Concat(a.MapKeys(), b.MapKeys()) {
		x, y := a.MapIndex(name), b.MapIndex(name)
		if !x.IsValid() || !y.IsValid() || !same(x, y) {
			names = append(names, name.String())
		}
	}
	slices.Sort(names)
	var keys []toml.Key
	for _, name := range slices.Compact(names) {
		keys = append(keys, append(key[:len(key):len(key)], name))
	}
	return keys
}

// same reports whether two values are equal. An empty list equals a missing one.
func same(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
