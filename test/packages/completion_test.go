//go:build systemd

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

const bashFramework = "/usr/share/bash-completion/bash_completion"

// The first argument of each is the folder with what the package installs, the others are the words
// of the line.
const (
	bashTab = `
source ` + bashFramework + `
source "$0/usr/share/bash-completion/completions/raynoded"
PATH=$0/usr/bin:$PATH
COMP_WORDS=("$@") COMP_LINE="$*" COMP_POINT=${#COMP_LINE} COMP_CWORD=$(($# - 1)) COMP_TYPE=9
__start_raynoded 2>/dev/null # compopt complains that no Tab was pressed
echo "${COMPREPLY[*]}"`

	// Only a zsh with a terminal completes. It is given one, and tells by a key what the line has
	// become.
	zshTab = `
root=$1 line="${@:2}"
cd $HOME && mkfifo told
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PATH=$root/usr/bin:\$PATH fpath=($root/usr/share/zsh/vendor-completions \$fpath)
autoload -U compinit && compinit -u -D
tell() { print -r -- \$BUFFER >told }; zle -N tell; bindkey '^I' complete-word '^T' tell"
zpty -n -w shell $line$'\t\x14'
read -t 30 -r line <told && echo ${line##* }`

	fishTab = `
set root $argv[1]
source $root/usr/share/fish/vendor_completions.d/raynoded.fish
set PATH $root/usr/bin $PATH
complete -C "$argv[2..]" | cut -f1`
)

// TestPackage_Completion has the shells complete command lines as a person with a Tab would, with
// what the package brings.
func TestPackage_Completion(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("zsh"), lab.Program("fish"))
	if _, err := os.Stat(bashFramework); err != nil {
		t.Skip("no bash-completion here: run test/setup packages")
	}
	root := unpack(t, lab.Package(t))
	for name, shell := range map[string]struct {
		command []string
		file    string // what a role file may be called
	}{
		"bash": {[]string{"bash", "--norc", "-c", bashTab}, "a.toml"},
		"zsh":  {[]string{"zsh", "-f", "-c", zshTab, "zsh"}, "a.toml"},
		"fish": {[]string{"fish", "--no-config", "-c", fishTab}, "a.toml b.txt"}, // which does not filter by name
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for line, want := range map[string]string{
				"raynoded rel":         "reload",
				"raynoded check ":      shell.file,
				"raynoded run --role ": shell.file,
				"raynoded wait --tim":  "--timeout",
			} {
				dir := t.TempDir()
				for _, name := range []string{"a.toml", "b.txt"} {
					require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
				}
				cmd := exec.CommandContext(t.Context(), shell.command[0],
					append(append(shell.command[1:], root), strings.Split(line, " ")...)...)
				cmd.Dir = dir
				cmd.Env = append(os.Environ(), "HOME="+dir)
				out, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s: %s", line, out)
				require.Equal(t, want, strings.Join(strings.Fields(string(out)), " "), line)
			}
		})
	}
}
