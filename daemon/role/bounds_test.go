package role

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Text that would keep the parser busy is refused before it is parsed: the number of allocations
// does not grow with the text. (https://github.com/BurntSushi/toml/issues/496)
func TestLoad_Bounds(t *testing.T) {
	const (
		parts    = "must not have a key of more than 32 parts"
		brackets = "must not have more than 32 brackets inside each other"
		keys     = "must hold at most 1000 keys"
	)
	numbered := func(form string) string {
		var b strings.Builder
		for i := range 50000 {
			fmt.Fprintf(&b, form, i)
		}
		return b.String()
	}
	for name, c := range map[string]struct {
		text string
		want string
	}{
		"a key of 5,000 parts":    {text: strings.Repeat("a.", 4999) + "a = 1", want: "1:64: " + parts},
		"a header of 5,000 parts": {text: "[" + strings.Repeat("a.", 4999) + "a]", want: "1:65: " + parts},
		"quoted parts":            {text: strings.Repeat(`"a]=" . `, 4999) + "a = 1", want: "1:255: " + parts},
		"a deep key in a table":   {text: "a = { b = {" + strings.Repeat("a.", 99) + "a = 1}}", want: "1:75: " + parts},
		"inline tables":           {text: "a = " + strings.Repeat("{ a = ", 5000) + "1", want: "1:197: " + brackets},
		"arrays":                  {text: "a = " + strings.Repeat("[", 500000), want: "1:37: " + brackets},
		"arrays of tables":        {text: "a = " + strings.Repeat("[{a=", 9999), want: "1:69: " + brackets},
		"arrays over lines":       {text: "a = " + strings.Repeat("[ # ]\n", 9999), want: "33:1: " + brackets},
		"many keys":               {text: numbered("a%d = 1\n"), want: "1001:7: " + keys},
		"many tables":             {text: numbered("  [a%d]\n"), want: "1001:3: " + keys},
		"an array of tables":      {text: strings.Repeat("[[a]]\n", 99999), want: "1001:1: " + keys},
		"tables in an array":      {text: "a = [" + strings.Repeat("{a=1},", 99999) + "]", want: "1:6002: " + keys},
		"deep after a long string": {
			text: "a = '''\n'\"]\n'''\n" + strings.Repeat("a.", 99) + "a = 1", want: "4:64: " + parts,
		},
		"deep after an escape":      {text: "a = \"\\\"\"\n" + strings.Repeat("a.", 99) + "a = 1", want: "2:64: " + parts},
		"deep after a broken quote": {text: "a = \"\n" + strings.Repeat("a.", 99) + "a = 1", want: "2:64: " + parts},
	} {
		t.Run(name, func(t *testing.T) {
			f := Files{texts: []text{{path: "a.toml", data: []byte(c.text)}}}
			_, err := f.Load()
			require.EqualError(t, err, "a.toml:"+c.want)
			require.Less(t, testing.AllocsPerRun(1, func() { _, _ = f.Load() }), 100.0)
		})
	}
}

// Dots and brackets in texts, and in values one after the other, are no depth.
func TestLoad_BoundsOfGoodFiles(t *testing.T) {
	dots := strings.Repeat(".[{", 99)
	load(t, map[string]string{"role.toml": "role = 'single' # " + dots + "\n" +
		"cluster.name = '" + dots + "'\n" +
		"node.name = \"\\\"" + dots + "\"\n" +
		"job.command = ['''\n" + dots + "''', \"\"\"\\\"\"\"" + dots + "\"\"\"]\n" +
		"ray.system_config.a = [" + strings.Repeat("[1.5, 2.5],\n", 99) + "]\n" +
		"ray.system_config.b" + strings.Repeat(".a", 29) + " = " + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "\n",
	})
}

func TestLoadProfile_Bounds(t *testing.T) {
	path := write(t, map[string]string{"p.toml": strings.Repeat("a.", 4999) + "a = 1"})
	_, err := LoadProfile(path)
	require.EqualError(t, err, "p.toml:1:64: must not have a key of more than 32 parts")
}
