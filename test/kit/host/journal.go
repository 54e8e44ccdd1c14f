package host

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// AwaitLog waits until the host's journal has some text; more are arguments of journalctl that
// narrow down where.
func (h *Host) AwaitLog(t *testing.T, text string, more ...string) {
	t.Helper()
	lab.Until(t, lab.Patience, "the journal of "+h.Name+" has "+text, func() bool {
		return strings.Contains(h.Journal(t, append(more, "--output=cat")...), text)
	})
}

// Line is one entry of a unit's journal.
type Line struct {
	At      time.Duration `json:"-"` // as [Clock] tells it
	Message string        `json:"MESSAGE"`
	Reason  string        `json:"REASON"` // "" where raynoded gave none
	Micros  string        `json:"__MONOTONIC_TIMESTAMP"`
}

// Why is the reason, or the message where the line has none.
func (l Line) Why() string {
	if l.Reason != "" {
		return l.Reason
	}
	return strings.TrimPrefix(l.Message, "ended: ")
}

// AwaitLine waits for an entry of [Unit]'s journal from after a moment of [Clock], whose reason or
// whole message is as wanted; * stands for anything.
func (h *Host) AwaitLine(t *testing.T, after time.Duration, want string) Line {
	t.Helper()
	pattern := regexp.MustCompile("^(?s:(ended: )?" + strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, ".*") + ")$")
	var found Line
	lab.Until(t, lab.Patience, "the journal of "+h.Name+" has "+want, func() bool {
		if !h.On() {
			return false
		}
		for _, l := range h.lines(t) {
			if l.At >= after && (pattern.MatchString(l.Message) || pattern.MatchString(l.Reason)) {
				found = l
				return true
			}
		}
		return false
	})
	return found
}

func (h *Host) lines(t *testing.T) []Line {
	t.Helper()
	text := h.Journal(t, "--unit="+Unit, "--output=json", "--output-fields=MESSAGE,REASON")
	var all []Line
	for raw := range strings.Lines(text) {
		var l Line
		if json.Unmarshal([]byte(raw), &l) != nil {
			continue // a message that is no UTF-8 is an array
		}
		micros, err := strconv.ParseInt(l.Micros, 10, 64)
		require.NoError(t, err)
		l.At = time.Duration(micros) * time.Microsecond
		all = append(all, l)
	}
	return all
}
