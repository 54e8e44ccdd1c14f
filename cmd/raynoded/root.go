package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "devel"

// rootCommand is raynoded with all its commands.
func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "raynoded",
		Short: "The node daemon that makes a GPU host a node of a Ray cluster",
		Long: "raynoded reads a role file, makes this host the head or a worker of a Ray cluster, tells systemd when the " +
			"node\n" +
			"is really in it, watches the head, and leaves nothing behind when the cluster ends.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: %w (%s --help shows the usage)", errUsage, err, cmd.CommandPath())
	})
	// The packages install the completions, so the command that prints them is hidden.
	root.CompletionOptions.HiddenDefaultCmd = true
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(
		runCommand(), reloadCommand(), checkCommand(), configCommand(), envCommand(), waitCommand(), forgetCommand(),
		versionCommand(),
	)
	return root
}

// noArgs refuses arguments as wrong usage.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: %s takes no argument, got %q (--help shows the usage)", errUsage, cmd.CommandPath(), args[0])
	}
	return nil
}

// oneFile refuses more than one argument as wrong usage.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf(
			"%w: %s takes one file, got %d (--help shows the usage)", errUsage, cmd.CommandPath(), len(args),
		)
	}
	return nil
}

// tomlFiles completes an argument that is a role file.
func tomlFiles(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []cobra.Completion{"toml"}, cobra.ShellCompDirectiveFilterFileExt
}

// roleFlag is the flag of a command that needs a role file.
func roleFlag(cmd *cobra.Command, path *string, usage string) {
	*path = defaultRole
	cmd.Flags().Var((*roleFile)(path), "role", usage+"; or the name of an instance, for /etc/raynoded/NAME.toml")
	_ = cmd.MarkFlagFilename("role", "toml") // it has just been made
}

// roleFile is the path of a role file. It may be given as a path or as the name of an instance.
type roleFile string

func (f *roleFile) String() string { return string(*f) }

// Type is the word that the help has for the value.
func (f *roleFile) Type() string { return "file|name" }

// Set takes a path, or the name of an instance: see rolePath.
func (f *roleFile) Set(arg string) error {
	*f = roleFile(rolePath(arg))
	return nil
}

// rolePath is the role file that an argument means. Without a slash and without .toml it is the
// name of an instance, and means /etc/raynoded/NAME.toml, unless the working directory has a file
// of that name.
func rolePath(arg string) string {
	if arg == "" || strings.Contains(arg, "/") || strings.HasSuffix(arg, ".toml") {
		return arg
	}
	if _, err := os.Lstat(arg); err == nil {
		return arg
	}
	return filepath.Join(filepath.Dir(defaultRole), arg+".toml")
}
