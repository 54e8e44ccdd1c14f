//go:build bench

package bench

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/page"
)

// loss measures how long a worker with a busy actor stays after its head's GCS was killed, and what
// is left of it then.
func loss(t *testing.T, b *bench) {
	b.putLoop(t, b.worker, keep)
	b.putBlock(t, b.worker, keep)
	ours := b.lossOf(t, raynoded, b.rounds(10))
	for _, e := range ours {
		require.Equal(t, "inactive, success, 0", e.result)
		require.Empty(t, e.left)
	}
	table := page.Table{Title: "The head's GCS is killed: the worker, with a busy actor, is gone", Rows: [][]string{
		{
			"the worker is", "times raynoded's", "until its unit has ended", "bound", "rounds", "unit then, exit code",
			"left on the host then", fmt.Sprintf("left %s later", later),
		},
	}}
	add := func(name, bound string, all []ended) {
		table.Rows = append(table.Rows, []string{
			name, Number(times(all).Median() / times(ours).Median()), times(all).Text("s"), bound, fmt.Sprint(len(all)),
			results(all),
			leftovers(all, func(e ended) []string { return e.left }), leftovers(all, func(e ended) []string { return e.later }),
		})
	}
	add("raynoded.service", b.Hold("loss of the head", slices.Max(times(ours)), 1, "s"), ours)
	add("the loop over `ray status`", "", b.lossOf(t, loop, b.rounds(3)))
	add("`ray start --block`", "", b.lossOf(t, block, b.rounds(3)))
	b.Tables = append(b.Tables, table)
}

func (b *bench) lossOf(t *testing.T, unit string, rounds int) []ended {
	var all []ended
	for i := range rounds {
		b.restart(t)
		b.join(t, unit)
		end := b.busy(t)
		watch := b.worker.watch(t, unit)
		time.Sleep(calm)
		killed := b.head.kill(t, "gcs_server")
		e := b.worker.awaitEnd(t, unit, watch, killed)
		b.say(
			"loss: %s %d of %d: %.3f s, %s, left: %s; later: %s", unit, i+1, rounds, e.after, e.result,
			strings.Join(e.left, " "), strings.Join(e.later, " "),
		)
		all = append(all, e)
		end()
		b.worker.down(t, unit)
	}
	b.head.down(t, raynoded)
	return all
}

func times(all []ended) Series {
	var s Series
	for _, e := range all {
		s = append(s, e.after)
	}
	return s
}

// results are the different ways in which units ended.
func results(all []ended) string {
	seen := map[string]bool{}
	for _, e := range all {
		seen[e.result] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(seen)), " or ")
}

// leftovers counts the programs that were left, most in any round.
func leftovers(all []ended, of func(ended) []string) string {
	most := map[string]int{}
	for _, e := range all {
		count := map[string]int{}
		for _, name := range of(e) {
			count[name]++
			most[name] = max(most[name], count[name])
		}
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(most)) {
		if n := most[name]; n > 1 {
			name = fmt.Sprintf("%d %s", n, name)
		}
		words = append(words, name)
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
