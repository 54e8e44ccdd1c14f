//go:build bench

package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
	"github.com/raynoded/raynoded/test/page"
)

// bench is one run: what is to be measured, where, and what was found.
type bench struct {
	*cluster
	Report
	plan    plan
	started time.Time
}

// steps are what a run can measure, in this order.
var steps = []struct {
	name string
	do   func(*testing.T, *bench)
}{
	{"loss", loss},
	{"ready", ready},
	{"stop", stop},
	{"cost", cost},
	{"micro", micro},
}

// plan is how much of it to do, as test/bench/run says.
type plan struct {
	names  []string      // of the steps; empty: all
	rounds int           // at most this often each; 0: as often as it takes
	idle   time.Duration // how long the step cost looks on
}

// whole says whether the run is fit for the document.
func (p plan) whole() bool {
	return len(p.names) == 0 && p.rounds == 0 && p.idle == idle
}

// idle is for how long the step cost looks on, unless BENCH_MINUTES says another.
const idle = 10 * time.Minute

func planned(t *testing.T) plan {
	t.Helper()
	p := plan{names: strings.Fields(os.Getenv("BENCH_STEPS")), idle: idle}
	for _, name := range p.names {
		known := slices.ContainsFunc(steps, func(s struct {
			name string
			do   func(*testing.T, *bench)
		}) bool {
			return s.name == name
		})
		require.True(t, known, "there is no step %q", name)
	}
	if text := os.Getenv("BENCH_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "BENCH_ROUNDS")
		p.rounds = n
	}
	if text := os.Getenv("BENCH_MINUTES"); text != "" {
		n, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err, "BENCH_MINUTES")
		p.idle = time.Duration(n * float64(time.Minute))
	}
	return p
}

// rounds is how often to do what takes n times.
func (b *bench) rounds(n int) int {
	if b.plan.rounds > 0 {
		return min(n, b.plan.rounds)
	}
	return n
}

// say tells whoever waits for the end.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: %s  %s\n", time.Since(b.started).Truncate(time.Second), fmt.Sprintf(format, args...))
}

// TestBench is the run. Bounds that are not held fail it only after all of it has been measured and
// told.
func TestBench(t *testing.T) {
	b := &bench{plan: planned(t), started: time.Now()}
	done := t.Run("run", b.run)
	b.fact("It took %s.", time.Since(b.started).Round(time.Second))
	fmt.Printf("\n%s\n", b.Markdown())
	if !done {
		return
	}
	require.NotEmpty(t, b.Tables, "the run was skipped")
	l, err := lab.Find()
	require.NoError(t, err)
	document := filepath.Join(l.Checkout, "docs/performance.md")
	if b.plan.whole() {
		require.NoError(t, page.Replace(document, "test/bench/run", b.Markdown()))
		b.say("wrote %s", document)
	} else {
		b.say("a partial run: %s stays as it is", document)
	}
	require.Empty(t, b.Missed, "bounds")
}

func (b *bench) run(t *testing.T) {
	b.say("booting two hosts")
	b.cluster = bootCluster(t)
	b.where(t)
	var loads []string
	for _, s := range steps {
		if len(b.plan.names) == 0 || slices.Contains(b.plan.names, s.name) {
			loads = append(loads, s.name+" "+load(t))
			b.say("%s, at a load of %s", s.name, load(t))
			s.do(t, b)
		}
	}
	b.fact("Load of the machine (1 minute) when a step began: %s.", strings.Join(loads, ", "))
}

// TestTidy removes what a run that was interrupted has left on the machine.
func TestTidy(t *testing.T) {
	lab.NewNetwork(t)
}
