package role

import (
	"reflect"
	"slices"

	"github.com/BurntSushi/toml"
)

// Change is a key that two roles have different values of.
type Change struct {
	Key  string
	Live bool // applies to a running node; else Ray must be started anew for it
}

// Diff returns the keys that differ, in the order of Role's fields. Of a table with
// keys of the user's choice it names the entries.
func Diff(old, new *Role) []Change {
	var changes []Change
	both(
		reflect.ValueOf(old).Elem(),
		reflect.ValueOf(new).Elem(),
		toml.Key{},
		false,
		func(key toml.Key, live bool, a, b reflect.Value) {
			for _, k := range differ(key, a, b) {
				changes = append(changes, Change{Key: k.String(), Live: live})
			}
		},
	)
	return changes
}

// WithLive returns the role with the live keys of another one.
func (r *Role) WithLive(other *Role) *Role {
	merged := *r
	both(
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

// both visits each key of two structs of one type, but for those of a table that
// may be missing, which is visited as a whole.
func both(a, b reflect.Value, prefix toml.Key, live bool, visit func(key toml.Key, live bool, a, b reflect.Value)) {
	for _, field := range fields(a.Type()) {
		key := append(prefix[:len(prefix):len(prefix)], keyOf(field))
		live := live || field.Tag.Get("reload") == "live"
		x, y := a.FieldByIndex(field.Index), b.FieldByIndex(field.Index)
		if isTable(field.Type) {
			both(x, y, key, live, visit)
		} else {
			visit(key, live, x, y)
		}
	}
}

// differ names what differs between two values of a key.
func differ(key toml.Key, a, b reflect.Value) []toml.Key {
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

// same compares two values. An empty list is none.
func same(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
