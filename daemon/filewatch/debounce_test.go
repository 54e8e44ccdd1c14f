package filewatch

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// word is a content that is finished if it ends with a full stop.
type word string

func (w word) Same(v word) bool   { return w == v }
func (w word) Finished(word) bool { return strings.HasSuffix(string(w), ".") }

func TestDebouncer(t *testing.T) {
	type step struct {
		at      time.Duration // since the start
		event   bool          // or a look
		seen    word
		settled bool
		calm    bool
	}
	const ms = time.Millisecond
	for name, steps := range map[string][]step{
		"nothing": {{at: 0, seen: "a.", calm: true}, {at: time.Hour, seen: "a.", calm: true}},
		"one change": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b."}, {at: 199 * ms, seen: "b."}, {at: 249 * ms, seen: "b."},
			{at: 250 * ms, seen: "b.", settled: true, calm: true}, {at: 300 * ms, seen: "b.", calm: true},
		},
		"without an event": {
			{at: 0, seen: "b."}, {at: 199 * ms, seen: "b."}, {at: 200 * ms, seen: "b.", settled: true, calm: true},
		},
		"an event without a change": {
			{at: 0, event: true}, {at: 50 * ms, seen: "a.", calm: true},
		},
		"an event on the way begins the quiet time anew": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b."}, {at: 150 * ms, event: true}, {at: 300 * ms, seen: "b."},
			{at: 349 * ms, seen: "b."}, {at: 350 * ms, seen: "b.", settled: true, calm: true},
		},
		"a change on the way too": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b."}, {at: 200 * ms, seen: "c."}, {at: 399 * ms, seen: "c."},
			{at: 400 * ms, seen: "c.", settled: true, calm: true},
		},
		"back again": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b."}, {at: 100 * ms, seen: "a.", calm: true}, {
				at: 1000 * ms, seen: "a.", calm: true,
			},
		},
		"not finished": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b"}, {at: 300 * ms, seen: "b"}, {at: 1049 * ms, seen: "b"},
			{at: 1050 * ms, seen: "b", settled: true, calm: true},
		},
		"half of it first": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b"}, {at: 900 * ms, event: true}, {at: 950 * ms, seen: "bc."},
			{at: 1149 * ms, seen: "bc."}, {at: 1150 * ms, seen: "bc.", settled: true, calm: true},
		},
		"events without end": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b."}, {at: 1500 * ms, event: true}, {at: 1600 * ms, seen: "b."},
			{at: 2990 * ms, event: true}, {at: 2999 * ms, seen: "b."}, {at: 3000 * ms, seen: "b.", settled: true, calm: true},
		},
		"changes without end": {
			{at: 0, event: true}, {at: 50 * ms, seen: "b."}, {at: 2999 * ms, seen: "c."}, {at: 3050 * ms, event: true}, {
				at: 3100 * ms, seen: "d.",
			},
			{at: 3299 * ms, seen: "d."}, {at: 3300 * ms, seen: "d.", settled: true, calm: true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := debouncer[word]{known: "a."}
			start := time.Now()
			for i, step := range steps {
				if step.event {
					require.Equal(t, i == 0, s.event(start.Add(step.at)), "step %d", i)
					continue
				}
				settled, calm := s.look(start.Add(step.at), step.seen)
				require.Equal(t, step.settled, settled, "step %d", i)
				require.Equal(t, step.calm, calm, "step %d", i)
			}
		})
	}
}
