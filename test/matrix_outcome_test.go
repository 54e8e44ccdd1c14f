//go:build systemd

package test

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

// outcome is what must become of one unit after a fault. In says * stands for anything.
type outcome struct {
	state state
	code  int
	// The reason: of the end, or of the phase it went to; of a unit that goes on, a line that it must
	// log, "" for none.
	says  string
	least time.Duration
	most  time.Duration // between the fault and the reason's line in the journal; 0 = not said
}

// state is where a unit is afterwards.
type state string

const (
	goesOn   state = "goes on"             // the same raynoded, the same Ray, the actor alive
	endsWell state = "ends, unit inactive" // and nothing is left
	fails    state = "ends, unit failed"   // and nothing is left; people must mend what is wrong
	// Nothing is left of the first; the new one is in its cluster, or waits for its head.
	comesBack state = "ends, systemd restarts"
	waitsOn   state = "waits for the next head"    // the same raynoded, without Ray
	rejoins   state = "joins the next head"        // the same raynoded, another Ray
	holds     state = "waits until that is mended" // a standing node, without Ray
	isOff     state = "host is off"
	isBack    state = "started again" // by hand, or with its host
	isIn      state = "joins"         // a worker that was not there before
	isDown    state = "is not started"
)

// The outcomes that cells name most.
func unharmed(says ...string) outcome { return outcome{state: goesOn, says: strings.Join(says, "")} }

func inactive(says string, least, most time.Duration) outcome {
	return outcome{state: endsWell, says: says, least: least, most: most}
}

func restarted(code int, says string, least, most time.Duration) outcome {
	return outcome{state: comesBack, code: code, says: says, least: least, most: most}
}

func rewaits(says string, least, most time.Duration) outcome {
	return outcome{state: waitsOn, says: says, least: least, most: most}
}

func broken(code int, says string, least, most time.Duration) outcome {
	return outcome{state: fails, code: code, says: says, least: least, most: most}
}

// result is an outcome as it was seen.
type result struct {
	State  state   `json:"state"`
	Code   *int    `json:"exit_code,omitempty"`
	Reason string  `json:"reason,omitempty"`
	After  float64 `json:"seconds"` // from the fault to the reason
}

// check waits for the outcome and returns it as it came.
func (want outcome) check(t *testing.T, try *trial, h *installed) result {
	t.Helper()
	r := result{State: want.state}
	if want.says != "" {
		line := h.hears(t, try.began, want.says)
		r.Reason, r.After = line.reason(), (line.at - try.began).Seconds()
	}
	before := try.before[h]
	switch want.state {
	case isOff:
		require.False(t, h.On())
	case goesOn:
		require.Equal(t, before.main, h.mainPID(t, unit), "MainPID of %s", h.Name)
		h.requireIs(t, unit, up.with("NRestarts", before.restarts))
		requireAlive(t, h, vital(before.procs))
		if h == try.worker {
			requireAlive(t, h, pick(before.procs, try.family))
		}
	case endsWell:
		h.await(t, unit, down.with("NRestarts", before.restarts))
		r.After = (h.since(t, try.began, unit, "InactiveEnter")).Seconds()
		h.requireNothingOf(t, unit, try.family...)
	case fails:
		h.await(t, unit, is{"ActiveState": "failed", "ExecMainStatus": strconv.Itoa(want.code), "NRestarts": before.restarts})
		h.requireNothingOf(t, unit, try.family...)
	case comesBack:
		n, _ := strconv.Atoi(before.restarts)
		lab.Until(t, patience, h.Name+" is started again", func() bool {
			now, err := strconv.Atoi(h.Show(t, unit, "NRestarts")["NRestarts"])
			return err == nil && now > n
		})
		h.hears(t, try.began, "raynoded.service: Main process exited, code=*, status="+strconv.Itoa(want.code)+"/*")
		if len(before.procs) > 0 {
			requireGone(t, h, before.procs)
		}
	case isDown:
		h.requireIs(t, unit, is{"ActiveState": "inactive"})
	case isBack, isIn:
		h.await(t, unit, up.with("StatusText", "running: *"))
	case holds:
		h.await(t, unit, is{"StatusText": "waiting: *" + want.says + "*", "NRestarts": before.restarts})
		lab.Until(t, patience, "only raynoded is left on "+h.Name, func() bool { return len(h.in(t, unit)) == 1 })
	case rejoins:
		h.await(t, unit, up.with("StatusText", "running: *").with("MainPID", before.main).with("NRestarts", before.restarts))
		requireGone(t, h, withoutMain(before))
	case waitsOn:
		h.await(t, unit, up.with("StatusText", "waiting: *").with("MainPID", before.main).with("NRestarts", before.restarts))
		lab.Until(t, patience, "only raynoded is left on "+h.Name, func() bool { return len(h.in(t, unit)) == 1 })
		requireGone(t, h, withoutMain(before))
	}
	if want.state == endsWell || want.state == fails || want.state == comesBack {
		r.Code = &want.code
	}
	took := time.Duration(r.After * float64(time.Second))
	t.Logf("%s: %s after %s: %s", h.Name, r.State, took.Round(time.Millisecond), r.Reason)
	require.GreaterOrEqual(t, took, want.least, "%s: too early", h.Name)
	if want.most > 0 {
		require.LessOrEqual(t, took, want.most+late(), "%s: too late()", h.Name)
	}
	return r
}

// vital are the processes without which a node is not the one it was.
func vital(procs []lab.Proc) []lab.Proc {
	var found []lab.Proc
	for _, p := range procs {
		if strings.HasSuffix(p.Args[0], "/raylet") || strings.HasSuffix(p.Args[0], "/gcs_server") ||
			strings.HasSuffix(p.Args[0], "/raynoded") {
			found = append(found, p)
		}
	}
	return found
}

func pick(procs []lab.Proc, pids []int) []lab.Proc {
	var found []lab.Proc
	for _, p := range procs {
		for _, pid := range pids {
			if p.Pid == pid {
				found = append(found, p)
			}
		}
	}
	return found
}

func withoutMain(s snapshot) []lab.Proc {
	var rest []lab.Proc
	for _, p := range s.procs {
		if strconv.Itoa(p.Pid) != s.main {
			rest = append(rest, p)
		}
	}
	return rest
}

func requireAlive(t *testing.T, h *installed, procs []lab.Proc) {
	t.Helper()
	now := map[int]lab.Proc{}
	for _, p := range h.in(t, unit) {
		now[p.Pid] = p
	}
	for _, p := range procs {
		require.Contains(t, now, p.Pid, "%s has lost %s", h.Name, p)
		require.NotEqual(t, "Z", now[p.Pid].State, "%s", p)
	}
}

// line is one entry of a unit's journal.
type line struct {
	at      time.Duration // on clock()
	Message string        `json:"MESSAGE"`
	Reason  string        `json:"REASON"`
	Micros  string        `json:"__MONOTONIC_TIMESTAMP"`
}

func (l line) reason() string {
	if l.Reason != "" {
		return l.Reason
	}
	return strings.TrimPrefix(l.Message, "ended: ")
}

// hears waits for an entry of the unit's journal after a moment whose reason or whole message is as
// wanted.
func (h *installed) hears(t *testing.T, after time.Duration, want string) line {
	t.Helper()
	pattern := regexp.MustCompile("^(?s:(ended: )?" + strings.ReplaceAll(regexp.QuoteMeta(want), `\*`, ".*") + ")$")
	var found line
	lab.Until(t, patience, "the journal of "+h.Name+" has "+want, func() bool {
		if !h.On() {
			return false
		}
		for _, l := range h.lines(t) {
			if l.at >= after && (pattern.MatchString(l.Message) || pattern.MatchString(l.Reason)) {
				found = l
				return true
			}
		}
		return false
	})
	return found
}

func (h *installed) lines(t *testing.T) []line {
	t.Helper()
	text := h.Journal(t, "--unit="+unit, "--output=json", "--output-fields=MESSAGE,REASON")
	var all []line
	for raw := range strings.Lines(text) {
		var l line
		if json.Unmarshal([]byte(raw), &l) != nil {
			continue // a message that is no UTF-8 is an array
		}
		micros, err := strconv.ParseInt(l.Micros, 10, 64)
		require.NoError(t, err)
		l.at = time.Duration(micros) * time.Microsecond
		all = append(all, l)
	}
	return all
}
