package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/role"
)

func forgetCommand() *cobra.Command {
	path, sure := "", false
	cmd := &cobra.Command{
		Use:   "forget [--role FILE] [--yes]",
		Short: "Forget the state of a persistent head",
		Long: "Deletes what the GCS of a head with cluster.persistent_head keeps over its restarts, so that the next " +
			"start makes a\n" +
			"new cluster. It is needed after an upgrade of Ray, or to begin again. Stop the head first. Workers that wait " +
			"for the\n" +
			"old cluster find another one in its place and take their head for lost.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return forget(cmd.Context(), path, sure, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	roleFlag(cmd, &path, "the role file; FILE.d/*.toml are read over it")
	cmd.Flags().BoolVar(&sure, "yes", sure, "do not ask")
	return cmd
}

func forget(ctx context.Context, path string, sure bool, stdin io.Reader, stdout io.Writer) error {
	r, err := role.Load(path)
	if err != nil {
		return err
	}
	kept, err := host.FindHeadState(r, host.FindDirs(r.Name, os.Getenv))
	if err != nil {
		return err
	}
	if kept.Empty() {
		fmt.Fprintf(stdout, "Nothing to forget: there is no %s.\n", kept)
		return nil
	}
	if !sure && !confirmed(kept, stdin, stdout) {
		return fmt.Errorf("%w: not confirmed: nothing was deleted (--yes does not ask)", errUsage)
	}
	ctx, _, stop := signals(ctx, nil)
	defer stop()
	if err := kept.Forget(ctx); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Forgotten: %s.\n", kept)
	return nil
}

// confirmed asks the person at the terminal. Without a terminal, nobody has agreed.
func confirmed(kept host.HeadState, stdin io.Reader, stdout io.Writer) bool {
	if f, is := stdin.(*os.File); is && !isTerminal(f) {
		return false
	}
	fmt.Fprintf(stdout, "Delete the state of the head in %s? Its actors, jobs and cluster id are gone then. [y/N] ", kept)
	line, _ := bufio.NewReader(stdin).ReadString('\n')
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
