//go:build bench

package bench

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/page"
)

// ticks are the units of CPU time in /proc, per second (USER_HZ, the same on every architecture
// that Ray has).
const ticks = 100

// watcher is what keeps a worker's unit up, besides Ray itself.
type watcher struct {
	name, unit string
	host       *host
	family     bool // its children, as they come and go, are part of it

	pid    int
	before float64 // CPU seconds when the look began
	cpu    float64 // since then
	memory Series  // MB, each second
}

// cost looks on at three workers of one head with nothing to do, side by side.
func cost(t *testing.T, b *bench) {
	more := b.boot(t, "c", "d")
	b.putLoop(t, more[0], "")
	b.putBlock(t, more[1], "")
	b.head.Sh(t, "systemctl start "+raynoded)
	all := []*watcher{
		{name: "raynoded", unit: raynoded, host: b.worker},
		{name: "the loop: bash, `ray status`, sleep", unit: loop, host: more[0], family: true},
		{name: "the parent in `ray start --block`", unit: block, host: more[1]},
	}
	for _, w := range all {
		w.host.Sh(t, "systemctl start "+w.unit)
	}
	b.head.Sh(t, "raynoded wait --nodes 4 --timeout 90s b c d")
	for _, w := range all {
		w.begin(t)
	}
	b.lookOn(t, all)
	b.costTable(all)
	for _, w := range all {
		require.Equal(t, "active", w.host.Show(t, w.unit, "ActiveState")["ActiveState"], w.unit)
		w.host.down(t, w.unit)
	}
	b.head.down(t, raynoded)
}

// begin waits until Ray has been started and takes the first reading.
func (w *watcher) begin(t *testing.T) {
	t.Helper()
	pid, err := strconv.Atoi(w.host.Show(t, w.unit, "MainPID")["MainPID"])
	require.NoError(t, err)
	w.pid = pid
	time.Sleep(2 * calm)
	w.before = w.spent(t)
}

// lookOn reads the memory each second.
func (b *bench) lookOn(t *testing.T, all []*watcher) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	const told = 2 * time.Minute
	next, over := time.Now().Add(told), time.Now().Add(b.plan.idle)
	for now := range tick.C {
		for _, w := range all {
			w.memory = append(w.memory, w.resident(t))
		}
		if now.After(next) {
			b.say("cost: %s to go", time.Until(over).Round(time.Second))
			next = next.Add(told)
		}
		if now.After(over) {
			break
		}
	}
	for _, w := range all {
		w.cpu = w.spent(t) - w.before
		b.say("cost: %s: %.2f s of CPU, %s", w.name, w.cpu, w.memory.Text("MB"))
	}
}

func (b *bench) costTable(all []*watcher) {
	ours := all[0]
	table := page.Table{
		Title: fmt.Sprintf("What it costs to watch: %g minutes beside a Ray with nothing to do", b.plan.idle.Minutes()),
		Rows:  [][]string{{"", "CPU", "times raynoded's", "resident memory", "at most, times raynoded's"}},
	}
	for _, w := range all {
		table.Rows = append(table.Rows, []string{
			w.name, Number(w.cpu) + " s", Number(w.cpu / ours.cpu), w.memory.Text("MB"), Number(
				slices.Max(w.memory) / slices.Max(ours.memory),
			),
		})
	}
	b.Tables = append(b.Tables, table)
}

// spent are the CPU seconds of the process, and of a family also those of the children that have
// ended.
func (w *watcher) spent(t *testing.T) float64 {
	t.Helper()
	text, err := w.host.readProc(w.pid, "stat")
	require.NoError(t, err, "%s has ended", w.unit)
	// After "7 (name, which may hold brackets) " comes field 3. 14 to 17: utime, stime, cutime,
	// cstime.
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])[14-3:]
	if !w.family {
		fields = fields[:2]
	}
	sum := 0
	for _, field := range fields[:min(4, len(fields))] {
		n, err := strconv.Atoi(field)
		require.NoError(t, err)
		sum += n
	}
	return float64(sum) / ticks
}

// resident is VmRSS of the process, and of a family's children at the moment, in MB.
func (w *watcher) resident(t *testing.T) float64 {
	t.Helper()
	sum, err := w.host.rss(w.pid)
	require.NoError(t, err, "%s has ended", w.unit)
	if w.family {
		children, err := w.host.readProc(w.pid, fmt.Sprintf("task/%d/children", w.pid))
		require.NoError(t, err)
		for _, field := range strings.Fields(children) {
			child, err := strconv.Atoi(field)
			require.NoError(t, err)
			if n, err := w.host.rss(child); err == nil { // else it has just ended
				sum += n
			}
		}
	}
	return sum
}

func (h *host) rss(pid int) (float64, error) {
	text, err := h.readProc(pid, "status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); fields[0] == "VmRSS:" {
			kib, err := strconv.Atoi(fields[1])
			return float64(kib) * 1024 / 1e6, err
		}
	}
	return 0, os.ErrProcessDone // a zombie has no memory
}
