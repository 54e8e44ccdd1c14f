package role

import (
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAbout_EveryKey(t *testing.T) {
	keys := knownKeys(reflect.TypeFor[Role](), "")
	slices.Sort(keys)
	require.Equal(t, keys, slices.Sorted(maps.Keys(about)))
	for key, text := range about {
		require.Regexp(t, `^\S.*[.,]$`, text, key)
	}
}

func TestSchema_OfKeys(t *testing.T) {
	text, err := NewSchema().JSON()
	require.NoError(t, err)
	var all struct {
		Properties map[string]struct {
			Properties           map[string]map[string]any
			AdditionalProperties any
		}
		AdditionalProperties any
	}
	require.NoError(t, json.Unmarshal(text, &all))
	require.Equal(t, false, all.AdditionalProperties)
	require.Equal(t, false, all.Properties["ray"].AdditionalProperties)
	require.Equal(t, map[string]any{"type": "string"}, all.Properties["env"].AdditionalProperties)

	type object = map[string]any
	for key, want := range map[[2]string]object{
		{"cluster", "head"}:          {"type": "string", "pattern": addressForm},
		{"cluster", "nodes"}:         {"type": "integer", "minimum": 0.0},
		{"cluster", "join_timeout"}:  {"type": "string", "pattern": durationForm, "default": "20m"},
		{"watchdog", "on_head_loss"}: {"type": "string", "enum": []any{"stop", "rejoin"}, "default": "stop"},
		{"ray", "memory"}:            {"type": "string", "pattern": sizeForm},
		{"ray", "num_gpus"}:          {"type": "integer", "minimum": 0.0},
		{"ray", "keep_sessions"}:     {"type": "integer", "minimum": 0.0, "default": 3.0},
		{"ray", "resources"}:         {"type": "object", "additionalProperties": object{"type": "number", "minimum": 0.0}},
		{"ray", "system_config"}:     {"type": "object", "additionalProperties": true},
		{"job", "command"}:           {"type": "array", "items": object{"type": "string"}},
		{"auth", "mode"}:             {"type": "string", "enum": []any{"token", "none"}},
	} {
		want["description"] = about[key[0]+"."+key[1]]
		require.Equal(t, want, all.Properties[key[0]].Properties[key[1]], key)
	}
}

func TestSchema_Live(t *testing.T) {
	s := NewSchema()
	require.True(t, s.Properties["stop"].Properties["grace"].Live)
	require.True(t, s.Properties["cluster"].Properties["nodes"].Live)
	require.False(t, s.Properties["cluster"].Properties["head"].Live)
	require.Equal(t, []string{"name", "interface", "ip"}, s.Properties["node"].Keys)
}

// What a type reads has the form that the schema asks for.
func TestSchema_Forms(t *testing.T) {
	for form, target := range map[string]value{durationForm: &Duration{}, sizeForm: new(Size), addressForm: &Address{}} {
		pattern := regexp.MustCompile(form)
		read := 0
		for _, text := range []string{
			"0s", "10s", "1h30m", "+1.5h", ".5s", "1.s", "3ns", "4us", "5µs", "5μs", "5", "0", "-1s", "1d", "", "s",
			"64GiB", "100MB", "5B", "1.5GiB", "7KB", "12",
			"gpu-001:6379", ":6379", "[fd00::1]:6379", "10.0.0.1:1", "[::ffff:1.2.3.4]:80", "a_b.c-d:65535", "a:0", "a:b", "a",
		} {
			if target.UnmarshalText([]byte(text)) == nil {
				read++
				require.Regexp(t, pattern, text)
			}
		}
		require.Positive(t, read)
		require.NotRegexp(t, pattern, "")
		require.NotRegexp(t, pattern, "x")
	}
}
