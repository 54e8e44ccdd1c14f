//go:build !pages

// Command raynoded makes a bare-metal GPU host a node of a Ray cluster and keeps it a trustworthy
// one. What it does is in package daemon; here are its commands: flags in, exit code out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/role"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	explainExits(root)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !silent(err) {
		fmt.Fprintln(stderr, message(err))
	}
	return exitCode(err)
}

// explainExits adds to the help of each command what its exit codes mean.
func explainExits(root *cobra.Command) {
	for _, cmd := range root.Commands() {
		if len(exits[cmd.Name()]) > 0 {
			cmd.Long += "\n\nExit codes:"
		}
		for _, e := range exits[cmd.Name()] {
			cmd.Long += fmt.Sprintf("\n  %-5s  %s", e.word(), e.text)
		}
	}
}

// silent says whether there is nothing more to print about an error.
func silent(err error) bool {
	var told reported
	return errors.As(err, &told)
}

// message is what a person reads about an error. Problems of a role file say themselves where they
// are.
func message(err error) string {
	var problems role.Problems
	if errors.As(err, &problems) {
		return err.Error()
	}
	if unknownCommand(err) {
		return "raynoded: " + errUsage.Error() + ": " + unknownText(err)
	}
	return "raynoded: " + err.Error()
}

// unknownText puts cobra's message about a command, and its lines of suggestions, on one line.
func unknownText(err error) string {
	text, list, found := strings.Cut(err.Error(), "\n\nDid you mean this?\n")
	if found {
		text += ", did you mean " + strings.Join(strings.Fields(list), " or ") + "?"
	}
	return text + " (raynoded --help shows the usage)"
}
