//go:build bench

package bench

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
	"github.com/raynoded/raynoded/test/page"
)

// benchmarkLine is BenchmarkStop/full-2  100  12345 ns/op.
var benchmarkLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op`)

// micro runs the benchmarks of the packages, as `go test -bench` does.
func micro(t *testing.T, b *bench) {
	l, err := lab.Find()
	require.NoError(t, err)
	table := page.Table{Title: "Parts (`go test -bench`)", Rows: [][]string{{"benchmark", "per operation", "runs"}}}
	for _, part := range []string{"gcs", "child", "filewatch"} {
		cmd := exec.CommandContext(
			t.Context(), "go", "test", "-run", "^$", "-bench", ".", "-count", fmt.Sprint(b.rounds(3)), "./daemon/"+part,
		)
		cmd.Dir = l.Checkout
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		var names []string
		found := map[string]Series{}
		for _, m := range benchmarkLine.FindAllStringSubmatch(string(out), -1) {
			nanos, err := strconv.ParseFloat(m[2], 64)
			require.NoError(t, err)
			if len(found[m[1]]) == 0 {
				names = append(names, m[1])
			}
			found[m[1]] = append(found[m[1]], nanos/1e6)
		}
		require.NotEmpty(t, names, string(out))
		for _, name := range names {
			table.Rows = append(
				table.Rows,
				[]string{"daemon/" + part + " " + name, found[name].Text("ms"), fmt.Sprint(len(found[name]))},
			)
			b.say("micro: %s %s: %s", part, name, found[name].Text("ms"))
		}
	}
	b.Tables = append(b.Tables, table)
}
