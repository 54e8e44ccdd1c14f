//go:build bench

package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/page"
)

// grace is the default of stop.grace.
const grace = 5 * time.Second

// stop measures what `systemctl stop` of a worker with a busy actor takes.
func stop(t *testing.T, b *bench) {
	b.restart(t)
	table := page.Table{Title: "`systemctl stop` of a worker with a busy actor", Rows: [][]string{
		{"the worker is", "until its unit has ended", "bound", "rounds", "unit then, exit code", "left on the host"},
	}}
	add := func(name, bound string, all []ended) {
		table.Rows = append(
			table.Rows,
			[]string{
				name,
				times(all).Text("s"),
				bound,
				fmt.Sprint(len(all)),
				results(all),
				leftovers(all, func(e ended) []string { return e.left }),
			},
		)
	}
	willing := b.stopOf(t, raynoded, b.rounds(5))
	deaf := b.stopOf(t, raynoded, b.rounds(5), "deaf")
	for _, e := range slices.Concat(willing, deaf) {
		require.Equal(t, "inactive, success, 0", e.result)
		require.Empty(t, e.left)
	}
	add("raynoded.service", b.Hold("stop", slices.Max(times(willing)), 2, "s"), willing)
	add("raynoded.service, an actor that ignores SIGTERM",
		b.Hold("stop of a deaf actor", slices.Max(times(deaf)), (grace+time.Second).Seconds(), "s"), deaf)
	b.putBlock(t, b.worker, "")
	add("`ray start --block`, SIGTERM to all of the unit (systemd's default)", "", b.stopOf(t, block, b.rounds(3)))
	b.putBlock(t, b.worker, "KillMode=mixed\n")
	add("`ray start --block`, SIGTERM to it alone (KillMode=mixed)", "", b.stopOf(t, block, b.rounds(3)))
	b.head.down(t, raynoded)
	b.Tables = append(b.Tables, table)
}

func (b *bench) stopOf(t *testing.T, unit string, rounds int, how ...string) []ended {
	var all []ended
	for i := range rounds {
		b.join(t, unit)
		end := b.busy(t, how...)
		watch := b.worker.watch(t, unit)
		time.Sleep(calm)
		began := clock(t)
		b.worker.Sh(t, "systemctl stop "+unit)
		e := b.worker.awaitEnd(t, unit, watch, began)
		b.say(
			"stop: %s %d of %d: %.3f s, %s, left: %s", strings.Join(append([]string{unit}, how...), " "), i+1, rounds, e.after,
			e.result, strings.Join(e.left, " "),
		)
		all = append(all, e)
		end()
		b.worker.down(t, unit)
	}
	return all
}
