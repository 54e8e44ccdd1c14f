package bench

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/page"
)

func TestSeries_Text(t *testing.T) {
	for _, c := range []struct {
		series Series
		want   string
	}{
		{Series{43.44}, "43.4 s"},
		{Series{3, 1}, "2.00 s (1.00–3.00)"},
		{Series{0.61, 0.5, 0.5834}, "0.583 s (0.500–0.610)"},
		{Series{120.6, 5.125, 0.00312, 0}, "2.56 s (0–121)"},
	} {
		require.Equal(t, c.want, c.series.Text("s"))
	}
	require.Equal(t, "0.750 (0.500–1.00)", Series{1, 4}.Over(Series{2, 4}).Text(""))
}

func TestReport_Markdown(t *testing.T) {
	r := &Report{Facts: []string{"Two hosts."}}
	r.Tables = []page.Table{{Title: "The start", Rows: [][]string{
		{"", "ratio", "bound"},
		{"worker", "0.800", r.Hold("worker", 0.8, 0.85, "")},
		{"head", "1.01 µ", r.Hold("head", 1.01, 0.95, "s")},
	}}}
	require.Equal(t, `- Two hosts.

### The start

|        | ratio  | bound     |
| ------ | ------ | --------- |
| worker | 0.800  | ≤ 0.850   |
| head   | 1.01 µ | ≤ 0.950 s |

**Not held**: head: 1.01 s, must be ≤ 0.950 s
`, r.Markdown())
}
