package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/role"
)

func configCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "config [FILE]",
		Short: "Show what a role file and its drop-ins come to",
		Long: "Prints the role of FILE (default " + defaultRole + ") and FILE.d/*.toml as one role file, each value with the place\n" +
			"that it is from: FILE:LINE, or that it is the default. It looks at nothing else, and a role holds no secret.\n" +
			"Exit code 0: good; 78: there are problems, which it reports as check does.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("%w: config takes one file, got %d", errUsage, len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return showConfig(append(args, defaultRole)[0], asJSON, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a list of keys with value, file and line (\"\" and 0: a default), and whether a running node can take a change")
	return cmd
}

func showConfig(path string, asJSON bool, out io.Writer) error {
	settings, err := role.Read(path).Settings()
	if err != nil {
		return err
	}
	if asJSON {
		return encode(out, settings)
	}
	_, err = io.WriteString(out, role.TOML(settings))
	return err
}
