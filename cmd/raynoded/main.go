// Command raynoded makes a bare-metal GPU host a node of a Ray cluster and keeps it a trustworthy one. What it does is in
// package daemon; here are its commands: flags in, exit code out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/role"
)

// version is set by the build.
var version = "devel"

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "raynoded",
		Short: "The node daemon that makes a GPU host a node of a Ray cluster",
		Long: "raynoded reads a role file, makes this host the head or a worker of a Ray cluster, tells systemd when the node\n" +
			"is really in it, watches the head, and leaves nothing behind when the cluster ends.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
	}
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w: %w (%s --help shows the usage)", errUsage, err, cmd.CommandPath())
	})
	root.AddCommand(runCommand(), reloadCommand(), checkCommand(), configCommand(), envCommand(), waitCommand(), forgetCommand(), versionCommand())
	err := root.ExecuteContext(ctx)
	if err != nil && !silent(err) {
		fmt.Fprintln(stderr, complaint(err))
	}
	return exitCode(err)
}

// complaint is what a person reads. Problems of a role file have their own places.
func complaint(err error) string {
	var problems role.Problems
	if errors.As(err, &problems) {
		return err.Error()
	}
	return "raynoded: " + err.Error()
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
		return fmt.Errorf("%w: %s takes one file, got %d", errUsage, cmd.Name(), len(args))
	}
	return nil
}
