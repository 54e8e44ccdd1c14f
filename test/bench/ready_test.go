//go:build bench

package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/ray"
	rolefile "github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/test/page"
)

// ready compares when the unit is active with when the same `ray start` returns, in turns on one
// host.
func ready(t *testing.T, b *bench) {
	table := page.Table{Title: "READY, against the return of the same `ray start`", Rows: [][]string{
		{
			"", "ratio, pair by pair", "bound", "`systemctl start raynoded`", "until its `ray start` runs",
			"until its `ray start` returns", "bare `ray start`", "pairs",
		},
	}}
	compare := func(kind string, h *host, bound float64) {
		p := b.pairs(t, kind, h, b.rounds(10))
		ratios := p.ours.Over(p.theirs)
		table.Rows = append(table.Rows, []string{
			kind, ratios.Text(""), b.Hold("READY of a "+kind, ratios.Median(), bound, ""),
			p.ours.Text("s"), p.before.Text("s"), p.own.Text("s"), p.theirs.Text("s"), fmt.Sprint(len(p.ours)),
		})
	}
	b.head.Sh(t, "systemctl start "+raynoded)
	compare("worker", b.worker, 0.85)
	b.head.down(t, raynoded)
	compare("head", b.head, 0.95)
	b.Tables = append(b.Tables, table)
}

// pairs are seconds.
type pairs struct {
	ours   Series // from `systemctl start` to active
	before Series // from `systemctl start` to the phase "starting"
	own    Series // from `systemctl start` to when the `ray start` of raynoded has returned
	theirs Series // of `ray start` from its start to its exit
}

func (b *bench) pairs(t *testing.T, kind string, h *host, rounds int) pairs {
	putBare(t, h, b.node(t, kind, h))
	var p pairs
	for i := range rounds {
		h.down(t, raynoded)
		time.Sleep(calm)
		began := clock(t)
		h.Sh(t, "systemctl start "+raynoded)
		ours := h.since(t, began, raynoded, "ActiveEnterTimestampMonotonic")
		p.ours = append(p.ours, ours)
		p.before = append(p.before, (h.logged(t, "PHASE=starting") - began).Seconds())
		p.own = append(p.own, (h.logged(t, "SYSLOG_IDENTIFIER=ray") - began).Seconds())
		h.down(t, raynoded)

		time.Sleep(calm)
		h.Sh(t, "systemctl start "+bare)
		theirs := h.since(t, h.noted(t, bare, "ExecMainStartTimestampMonotonic"), bare, "ExecMainExitTimestampMonotonic")
		p.theirs = append(p.theirs, theirs)
		h.down(t, bare)
		b.say(
			"ready: %s %d of %d: %.3f s (`ray start` from %.3f to %.3f s) against %.3f s: %.3f", kind, i+1, rounds, ours,
			p.before[i], p.own[i], theirs, ours/theirs,
		)
	}
	return p
}

// node is the node that raynoded makes of the host, with a folder of its own.
func (b *bench) node(t *testing.T, kind string, h *host) ray.Node {
	t.Helper()
	file := filepath.Join(t.TempDir(), "role.toml")
	require.NoError(t, os.WriteFile(file, []byte(role(kind, "")), 0o600))
	r, err := rolefile.Load(file)
	require.NoError(t, err)
	return ray.Node{
		Role: r, Head: kind == "head", Address: b.head.Address.String() + ":6379", IP: h.Address.String(), Name: h.Name,
		TempDir: benchDir, StartID: "bare",
	}
}

// logged is when the journal got the first entry of this run of raynoded that has a field. It waits
// for one.
func (h *host) logged(t *testing.T, field string) time.Duration {
	t.Helper()
	run := "_SYSTEMD_INVOCATION_ID=" + h.Show(t, raynoded, "InvocationID")["InvocationID"]
	const pause = 200 * time.Millisecond // each question is a process in the host
	for started := time.Now(); ; time.Sleep(pause) {
		var entry struct {
			Micros string `json:"__MONOTONIC_TIMESTAMP"`
		}
		if json.NewDecoder(strings.NewReader(h.Journal(t, run, field, "--output=json"))).Decode(&entry) == nil {
			micros, err := strconv.ParseInt(entry.Micros, 10, 64)
			require.NoError(t, err)
			return time.Duration(micros) * time.Microsecond
		}
		require.Less(t, time.Since(started), patience, "the journal of %s has no %s", h.Name, field)
	}
}
