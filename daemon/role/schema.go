package role

import (
	"encoding/json"
	"reflect"
)

// Schema is the JSON schema of the role file, or of a key in it, for editors. It accepts all that
// Load accepts, and more: it does not check values against each other, and it is the same for a
// role file and a drop-in.
type Schema struct {
	Dialect     string `json:"$schema,omitempty"` // only of the whole file's schema
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`

	Type    string   `json:"type,omitempty"` // empty: any
	Enum    []string `json:"enum,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
	Minimum *int     `json:"minimum,omitempty"`
	Items   *Schema  `json:"items,omitempty"`
	Default any      `json:"default,omitempty"` // nil: none

	// Properties are the keys of a table, by name. Additional is the schema of all other keys,
	// or false if there must be none.
	Properties map[string]*Schema `json:"properties,omitempty"`
	Additional any                `json:"additionalProperties,omitempty"`

	// Keys are the names in Properties in the order of Role's fields.
	Keys []string `json:"-"`
	// Takes says for people what the value of a key is; "" for a table.
	Takes string `json:"-"`
	// Live says that an edit of the key applies to a running node. It means nothing for a table.
	Live bool `json:"-"`
}

// Patterns for the texts of some types. Each accepts what UnmarshalText of the type reads, or a
// little more.
const (
	durationForm = `^\+?` + durationPart + `(` + durationPart + `)*$`
	durationPart = `([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`
	sizeForm     = `^[0-9]+([KMGT]i?B)?$`
	addressForm  = `^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):[0-9]+$`
)

// NewSchema returns the schema of the role file.
func NewSchema() *Schema {
	role := defaults()
	s := schemaOf("", reflect.ValueOf(&role).Elem(), false)
	s.Dialect = "http://json-schema.org/draft-07/schema#" // the newest that taplo 0.9 reads
	s.Title = "role file of raynoded"
	s.Description = "What one host is to be in a Ray cluster. `raynoded check` says all that is wrong with a file."
	return s
}

// JSON is the schema as a file.
func (s *Schema) JSON() ([]byte, error) {
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// schemaOf describes a key, or the table of that name, with its default.
func schemaOf(key string, v reflect.Value, live bool) *Schema {
	s := &Schema{Description: about[key], Live: live}
	if v.Kind() == reflect.Pointer { // a key that may be missing has no default
		v = reflect.New(v.Type().Elem()).Elem()
	} else if !isTable(v.Type()) && !v.IsZero() {
		s.Default = fileValue(v)
	}
	if isTable(v.Type()) {
		s.table(key, v, live)
	} else {
		s.value(v)
	}
	return s
}

func (s *Schema) table(key string, v reflect.Value, live bool) {
	s.Type, s.Additional, s.Properties = "object", false, map[string]*Schema{}
	if key != "" {
		key += "."
	}
	for _, field := range fields(v.Type()) {
		name := keyOf(field)
		s.Keys = append(s.Keys, name)
		s.Properties[name] = schemaOf(key+name, v.FieldByIndex(field.Index), live || field.Tag.Get("reload") == "live")
	}
}

func (s *Schema) value(v reflect.Value) {
	s.Type, s.Takes = "string", "a string"
	switch t := v.Interface().(type) {
	case interface{ words() []string }:
		s.Enum, s.Takes = t.words(), quoted(t.words())
	case Duration:
		s.Pattern, s.Takes = durationForm, "a duration"
	case Size:
		s.Pattern, s.Takes = sizeForm, "a size"
	case Address:
		s.Pattern, s.Takes = addressForm, `"host:port"`
	case bool:
		s.Type, s.Takes = "boolean", "true or false"
	case int:
		s.Type, s.Minimum, s.Takes = "integer", new(int), "a whole number"
	case []string:
		s.Type, s.Items, s.Takes = "array", &Schema{Type: "string"}, "an array of strings"
	case map[string]string:
		s.Type, s.Additional, s.Takes = "object", Schema{Type: "string"}, "a table of strings"
	case map[string]float64:
		s.Type, s.Additional, s.Takes = "object", Schema{Type: "number", Minimum: new(int)}, "a table of numbers"
	case map[string]any:
		s.Type, s.Additional, s.Takes = "object", true, "a table"
	}
}
