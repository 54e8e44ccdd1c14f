//go:build systemd

package faults

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// way is how a cluster is used.
type way string

const (
	perJob     way = "per-job"
	stands     way = "standing"
	persistent way = "persistent head"
)

// ways are all of them, in the order of docs/reliability.md.
var ways = []way{perJob, stands, persistent}

// over is what a way lays over the role files of both hosts.
var over = map[way]string{
	perJob:     "",
	stands:     host.Standing,
	persistent: "cluster.persistent_head = true\n",
}

// cell is one fault, and what must become of a cluster of two hosts, in each way of use to which it
// applies. The worker runs a busy actor of a driver on the head when it begins.
type cell struct {
	fault  string // what happens, as a row of docs/reliability.md names it
	core   bool   // it is part of `make test`
	head   string // more keys for the head's role
	worker string // and for the worker's
	// prepare brings the cluster to where the fault begins, and may take other hosts for it. nil: both
	// run, the actor is busy.
	prepare func(*testing.T, *trial)
	do      func(*testing.T, *trial)
	undo    func(*testing.T, *trial) // whatever the hosts' own restart does not undo; nil: nothing
	want    map[way]fates
}

// fates is what becomes of the two units.
type fates struct{ head, worker outcome }

// trial is one cell in one way on the pair of its group.
type trial struct {
	*host.Pair
	way    way
	driver *lab.Process // of the busy actor
	family []int        // the actor's pids
	before map[*host.Host]snapshot
	began  time.Duration // clock() when do is called; a fault that takes effect later may set it itself
}

// snapshot is one unit when the fault began.
type snapshot struct {
	procs    []lab.Proc
	main     string
	restarts string
}

// runCells boots two hosts and tries the cells: with RAYNODED_MATRIX=all each in each of its ways,
// and what came of one is written to .lab/matrix for docs/reliability.md; else the core ones in
// their first way.
func runCells(t *testing.T, cells []cell) {
	t.Helper()
	all := os.Getenv("RAYNODED_MATRIX") == "all"
	suite := map[bool]string{true: "bookworm", false: "trixie"}[all]
	p := host.BootPair(t, suite)
	for _, c := range cells {
		for _, w := range c.ways(all) {
			r := row{Fault: c.fault, Way: string(w)}
			began := false
			passed := t.Run(c.fault+"/"+string(w), func(t *testing.T) {
				began = true
				r.Worker, r.Head = tryCell(t, p, c, w, c.want[w])
			})
			if all && began {
				record(t, cells, r, passed)
			}
		}
	}
}

// ways are those to try now.
func (c cell) ways(all bool) []way {
	var found []way
	for _, w := range ways {
		if _, applies := c.want[w]; applies {
			found = append(found, w)
		}
	}
	switch {
	case all:
		return found
	case c.core:
		return found[:1]
	default:
		return nil
	}
}

// tryCell tries one cell, and leaves the pair stopped and with its own roles.
func tryCell(t *testing.T, p *host.Pair, c cell, w way, want fates) (worker, head result) {
	t.Helper()
	try := &trial{Pair: p, way: w, before: map[*host.Host]snapshot{}}
	p.Head.LayOver(t, "0-way", over[w])
	p.Worker.LayOver(t, "0-way", over[w])
	p.Head.LayOver(t, "1-cell", c.head)
	p.Worker.LayOver(t, "1-cell", c.worker)
	defer try.heal(t, c)
	if c.prepare != nil {
		c.prepare(t, try)
	} else {
		p.StartBoth(t)
		try.driver, try.family = p.Busy(t)
	}
	for _, h := range []*host.Host{try.Head, try.Worker} {
		try.before[h] = snap(t, h)
	}
	try.began = host.Clock(t)
	c.do(t, try)
	return want.worker.check(t, try, try.Worker), want.head.check(t, try, try.Head)
}

func snap(t *testing.T, h *host.Host) snapshot {
	t.Helper()
	if !h.On() {
		return snapshot{}
	}
	s := h.Show(t, host.Unit, "MainPID", "NRestarts")
	return snapshot{procs: h.ProcsIn(t, host.Unit), main: s["MainPID"], restarts: s["NRestarts"]}
}

// heal undoes the fault, stops both hosts and looks for what may be left of them.
func (try *trial) heal(t *testing.T, c cell) {
	if c.undo != nil {
		c.undo(t, try)
	}
	hosts := []*host.Host{try.Worker, try.Head}
	for _, h := range hosts {
		if !h.On() {
			h.PowerOn(t)
		}
		h.Sh(t, "systemctl stop "+host.Unit+" && systemctl start remember.target && systemctl reset-failed "+host.Unit)
		if h == try.Head && try.way == persistent {
			h.Sh(t, "raynoded forget --yes")
		}
		h.Sh(t, "rm -rf "+host.RolePath+".d")
	}
	try.endDrivers(t)
	for _, h := range hosts {
		h.RequireNothingOf(t, host.Unit)
		if procs := try.before[h].procs; len(procs) > 0 {
			host.RequireGone(t, h, procs)
		}
		require.Empty(
			t,
			h.Sh(
				t,
				"ss -Htlnup; find /tmp /dev/shm -mindepth 1 -maxdepth 1 -not -name 'systemd-private-*' -not -name '.*' -not "+
					"-name 'pymp-*' -print -exec rm -r {} +",
			),
			"ports held or files left on %s",
			h.Name,
		)
	}
}

// endDrivers ends the programs of people: without its cluster a driver of Ray's goes on for a
// minute.
func (try *trial) endDrivers(t *testing.T) {
	t.Helper()
	for _, h := range []*host.Host{try.Head, try.Worker} {
		for _, p := range h.Procs(t) {
			if p.Cgroup == "/lab" && slices.Contains(p.Args, "/opt/ray/bin/python3") {
				h.Run(t, fmt.Sprintf("kill -KILL %d", p.Pid)) // it may just have ended by itself
			}
		}
	}
	if try.driver != nil {
		lab.Until(t, lab.Patience, "the driver has ended", func() bool { return !try.driver.Running() })
	}
}

// row is what came out of a cell.
type row struct {
	Fault  string `json:"fault"`
	Way    string `json:"way"`
	Worker result `json:"worker"`
	Head   result `json:"head"`
}

// record keeps a row of a group in .lab/matrix, in the place of an older one of the same cell. A
// cell that fails has none.
func record(t *testing.T, cells []cell, r row, passed bool) {
	t.Helper()
	dir := lab.File(t, ".lab/matrix")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	path := filepath.Join(dir, strings.TrimPrefix(t.Name(), "TestMatrix_")+".json")
	var rows []row
	if text, err := os.ReadFile(path); err == nil {
		require.NoError(t, json.Unmarshal(text, &rows))
	}
	place := func(r row) int { return slices.IndexFunc(cells, func(c cell) bool { return c.fault == r.Fault }) }
	rows = slices.DeleteFunc(
		rows,
		func(old row) bool { return old.Fault == r.Fault && old.Way == r.Way || place(old) < 0 },
	)
	if passed {
		rows = append(rows, r)
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(place(a)-place(b), slices.Index(ways, way(a.Way))-slices.Index(ways, way(b.Way)))
	})
	text, err := json.MarshalIndent(rows, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o644))
}
