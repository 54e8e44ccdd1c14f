//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
	"github.com/raynoded/raynoded/test/page"
)

// fault is something that happens to a cluster whose worker has a busy actor.
type fault struct {
	name  string
	do    func(*testing.T, *bench) (at time.Duration)
	undo  func(*testing.T, *bench) // nil: nothing
	limit time.Duration            // how long the worker is looked at
}

var faults = []fault{
	{
		name: "the head's GCS is killed", limit: 3 * time.Minute,
		do: func(t *testing.T, b *bench) time.Duration { return b.head.kill(t, "gcs_server") },
	}, {
		name: "the head's host is cut off", limit: 5 * time.Minute,
		do: func(t *testing.T, b *bench) time.Duration {
			b.head.Cut(t, true)
			return clock(t)
		},
		undo: func(t *testing.T, b *bench) { b.head.Cut(t, false) },
	}, {
		name: "the head's GCS is stopped (SIGSTOP)", limit: 2 * time.Minute,
		do: func(t *testing.T, b *bench) time.Duration {
			b.head.Sh(t, `kill -STOP "$(pgrep -x gcs_server)"`)
			return clock(t)
		},
		undo: func(t *testing.T, b *bench) { b.head.Run(t, `kill -CONT "$(pgrep -x gcs_server)"`) },
	}, {
		name: "the worker's raylet is killed", limit: time.Minute,
		do: func(t *testing.T, b *bench) time.Duration { return b.worker.kill(t, "raylet") },
	}, {
		name: "the worker's dashboard agent is killed", limit: time.Minute,
		do: func(t *testing.T, b *bench) time.Duration { return b.worker.kill(t, "ray::DashboardA") },
	},
}

// TestFaults is what becomes of a worker that is raynoded's, the script's or `ray start --block`'s.
// It writes the table of docs/reliability.md.
func TestFaults(t *testing.T) {
	b := &bench{started: time.Now()}
	b.say("booting two hosts")
	b.cluster = bootCluster(t)
	b.putLoop(t, b.worker, keep)
	b.putBlock(t, b.worker, keep)
	table := page.Table{Title: "The worker's unit, by who it is", Rows: [][]string{
		{"fault", "raynoded.service", "the loop over `ray status`", "`ray start --block`"},
	}}
	for _, f := range faults {
		row := []string{f.name}
		for _, unit := range []string{raynoded, loop, block} {
			row = append(row, b.suffer(t, unit, f))
			b.say("%s: %s: %s", f.name, unit, row[len(row)-1])
		}
		table.Rows = append(table.Rows, row)
	}
	b.head.down(t, raynoded)
	l, err := lab.Find()
	require.NoError(t, err)
	fmt.Println(table)
	if os.Getenv("RAYNODED_MATRIX") == "all" {
		require.NoError(t, page.Replace(filepath.Join(l.Checkout, "docs/reliability.md"), "TestFaults", table.String()))
	}
}

// suffer lets a fault happen to a worker that is some unit, and says what became of it.
func (b *bench) suffer(t *testing.T, unit string, f fault) string {
	t.Helper()
	b.restart(t)
	b.join(t, unit)
	end := b.busy(t)
	watch := b.worker.watch(t, unit)
	time.Sleep(calm)
	at := f.do(t, b)
	for began := time.Now(); watch.Running() && time.Since(began) < f.limit; {
		time.Sleep(100 * time.Millisecond)
	}
	text := ""
	if watch.Running() {
		text = fmt.Sprintf("**still active after %s**, has %s", f.limit, listed(b.worker.left(t)))
		watch.Signal(t, syscall.SIGKILL)
	} else {
		e := b.worker.awaitEnd(t, unit, watch, at)
		text = fmt.Sprintf("%s s: %s; left: %s", Number(e.after), e.result, listed(e.later))
	}
	if f.undo != nil {
		f.undo(t, b)
	}
	end()
	b.worker.down(t, unit)
	return text
}

// listed are programs in words.
func listed(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
