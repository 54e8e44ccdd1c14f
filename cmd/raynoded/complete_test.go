package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a shell is told when it asks what may come next: the words, and :8 for files that end so, :4
// for no files.
func TestComplete(t *testing.T) {
	t.Parallel()
	const roleFiles, nothing = "toml\n:8\n", ":4\n"
	for line, want := range map[string]string{
		"re|":              "reload\tMake a running node read its role file now\n" + nothing,
		"check |":          roleFiles,
		"check a.toml |":   nothing,
		"check x --as |":   roleFiles,
		"config |":         roleFiles,
		"run |":            nothing,
		"run --role |":     roleFiles,
		"reload --role |":  roleFiles,
		"env --role |":     roleFiles,
		"env --diff |":     nothing,
		"wait --role |":    roleFiles,
		"wait --timeout |": nothing,
		"wait gpu-001 |":   nothing,
		"forget --role |":  roleFiles,
		"run --rol|": "--role\tthe role file; FILE.d/*.toml are read over it; or the name of an instance, for " +
			"/etc/raynoded/NAME.toml\n" + nothing,
		"completion |": "bash\tGenerate the autocompletion script for bash\nfish\tGenerate the autocompletion script for " +
			"fish\n" +
			"powershell\tGenerate the autocompletion script for powershell\nzsh\tGenerate the autocompletion script for " +
			"zsh\n" + nothing,
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			p := command(t, nil, append([]string{"__complete"}, strings.Split(strings.TrimSuffix(line, "|"), " ")...)...)
			require.Equal(t, 0, p.exit())
			require.Equal(t, want, p.output())
		})
	}
}

func TestComplete_TheCommandForItIsNotInTheList(t *testing.T) {
	t.Parallel()
	p := command(t, nil, "--help")
	require.Equal(t, 0, p.exit())
	require.NotContains(t, p.output(), "completion")
}
