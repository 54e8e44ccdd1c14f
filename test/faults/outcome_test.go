//go:build systemd

package faults

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
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
func (want outcome) check(t *testing.T, try *trial, h *host.Host) result {
	t.Helper()
	r := result{State: want.state}
	if want.says != "" {
		line := h.AwaitLine(t, try.began, want.says)
		r.Reason, r.After = line.Why(), (line.At - try.began).Seconds()
	}
	before := try.before[h]
	switch want.state {
	case isOff:
		require.False(t, h.On())
	case goesOn:
		require.Equal(t, before.main, h.MainPID(t, host.Unit), "MainPID of %s", h.Name)
		h.RequireState(t, host.Unit, host.Up.With("NRestarts", before.restarts))
		requireAlive(t, h, vital(before.procs))
		if h == try.Worker {
			requireAlive(t, h, pick(before.procs, try.family))
		}
	case endsWell:
		h.Await(t, host.Unit, host.Down.With("NRestarts", before.restarts))
		r.After = (h.Since(t, try.began, host.Unit, "InactiveEnter")).Seconds()
		h.RequireNothingOf(t, host.Unit, try.family...)
	case fails:
		failed := host.State{"ActiveState": "failed", "ExecMainStatus": strconv.Itoa(want.code)}
		h.Await(t, host.Unit, failed.With("NRestarts", before.restarts))
		h.RequireNothingOf(t, host.Unit, try.family...)
	case comesBack:
		n, _ := strconv.Atoi(before.restarts)
		lab.Until(t, lab.Patience, h.Name+" is started again", func() bool {
			now, err := strconv.Atoi(h.Show(t, host.Unit, "NRestarts")["NRestarts"])
			return err == nil && now > n
		})
		h.AwaitLine(t, try.began, "raynoded.service: Main process exited, code=*, status="+strconv.Itoa(want.code)+"/*")
		if len(before.procs) > 0 {
			host.RequireGone(t, h, before.procs)
		}
	case isDown:
		h.RequireState(t, host.Unit, host.State{"ActiveState": "inactive"})
	case isBack, isIn:
		h.Await(t, host.Unit, host.Up.With("StatusText", "running: *"))
	case holds:
		h.Await(t, host.Unit, host.State{"StatusText": "waiting: *" + want.says + "*", "NRestarts": before.restarts})
		awaitAlone(t, h)
	case rejoins:
		h.Await(t, host.Unit, before.same().With("StatusText", "running: *"))
		host.RequireGone(t, h, withoutMain(before))
	case waitsOn:
		h.Await(t, host.Unit, before.same().With("StatusText", "waiting: *"))
		awaitAlone(t, h)
		host.RequireGone(t, h, withoutMain(before))
	}
	if want.state == endsWell || want.state == fails || want.state == comesBack {
		r.Code = &want.code
	}
	took := time.Duration(r.After * float64(time.Second))
	t.Logf("%s: %s after %s: %s", h.Name, r.State, took.Round(time.Millisecond), r.Reason)
	require.GreaterOrEqual(t, took, want.least, "%s: too early", h.Name)
	if want.most > 0 {
		require.LessOrEqual(t, took, want.most+lab.Late(), "%s: too late", h.Name)
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

// same is a unit whose raynoded still is the one that it was.
func (s snapshot) same() host.State {
	return host.Up.With("MainPID", s.main).With("NRestarts", s.restarts)
}

// awaitAlone waits until nothing but raynoded is left in the unit.
func awaitAlone(t *testing.T, h *host.Host) {
	t.Helper()
	alone := func() bool { return len(h.ProcsIn(t, host.Unit)) == 1 }
	lab.Until(t, lab.Patience, "only raynoded is left on "+h.Name, alone)
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

func requireAlive(t *testing.T, h *host.Host, procs []lab.Proc) {
	t.Helper()
	now := map[int]lab.Proc{}
	for _, p := range h.ProcsIn(t, host.Unit) {
		now[p.Pid] = p
	}
	for _, p := range procs {
		require.Contains(t, now, p.Pid, "%s has lost %s", h.Name, p)
		require.NotEqual(t, "Z", now[p.Pid].State, "%s", p)
	}
}
