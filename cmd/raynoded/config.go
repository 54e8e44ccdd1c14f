package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/role"
)

func configCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "config [FILE]",
		Short: "Print the role file with its drop-ins and defaults",
		Long: "Prints what FILE (default " + defaultRole + "), FILE.d/*.toml and the defaults come to: a role file that " +
			"says the\n" +
			"same, and where each value was set. There is no secret in it. The JSON says for each key whether it is live: " +
			"whether\n" +
			"an edit applies to a running node, or needs a new Ray.",
		Args:              oneFile,
		ValidArgsFunction: tomlFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return config(rolePath(append(args, defaultRole)[0]), asJSON, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the settings as JSON")
	return cmd
}

func config(path string, asJSON bool, out io.Writer) error {
	settings, err := role.Read(path).Settings()
	if err != nil {
		return err
	}
	if !asJSON {
		_, err := io.WriteString(out, role.TOML(settings))
		return err
	}
	return encoder(out).Encode(struct {
		Settings []role.Setting `json:"settings"`
	}{settings})
}
