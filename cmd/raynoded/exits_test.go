package main

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/reason"
)

func TestExits_OfCommandsThatThereAre(t *testing.T) {
	t.Parallel()
	named := map[string]bool{}
	for _, cmd := range rootCommand().Commands() {
		named[cmd.Name()] = true
	}
	for name, list := range exits {
		require.True(t, named[name], name)
		require.Equal(t, reason.ExitOK, list[0].code, name)
	}
}

func TestExits_AreInTheREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(text), "\n| code | meaning | the unit restarts |\n")
	require.True(t, found)
	var rows []string
	for _, row := range regexp.MustCompile(`(?m)^\| (\w+) \| (.+) \| \w+ \|$`).FindAllStringSubmatch(table, -1) {
		rows = append(rows, row[1]+" "+strings.ReplaceAll(row[2], "`", ""))
	}
	var want []string
	for _, e := range exits["run"] {
		want = append(want, e.word()+" "+e.text)
	}
	require.Equal(t, want, rows)
}

func TestMain_HelpHasExitCodes(t *testing.T) {
	t.Parallel()
	for name, list := range exits {
		p := command(t, nil, name, "--help")
		require.Equal(t, 0, p.exit())
		for _, e := range list {
			require.Regexp(t, `(?m)^  `+e.word()+` +`+regexp.QuoteMeta(e.text)+`$`, p.output())
		}
	}
}
