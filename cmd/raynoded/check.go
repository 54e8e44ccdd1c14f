package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/role"
)

func checkCommand() *cobra.Command {
	asJSON, place := false, ""
	cmd := &cobra.Command{
		Use:   "check [FILE] [--as PLACE]",
		Short: "Check a role file and its drop-ins",
		Long: "Checks FILE (default " + defaultRole + ") and FILE.d/*.toml and reports every problem as file:line:col: " +
			"key: what.\n" +
			"It looks at nothing else, and needs no network, no Ray and no privileges.\n\n" +
			"With --as, FILE may have any name and be anywhere: it is checked as if it were at PLACE already, together with " +
			"the\n" +
			"files that are there. PLACE is a role file or a drop-in, such as /etc/raynoded/role.toml.d/50-host.toml. In " +
			"Ansible:\n" +
			"validate: raynoded check %s --as /etc/raynoded/role.toml",
		Args:              oneFile,
		ValidArgsFunction: tomlFiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			return check(rolePath(append(args, defaultRole)[0]), place, asJSON, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	cmd.Flags().StringVar(&place, "as", "", "where FILE is meant to be: a role file, or a drop-in in NAME.toml.d")
	_ = cmd.MarkFlagFilename("as", "toml") // it has just been made
	return cmd
}

// verdict is what check prints as JSON.
type verdict struct {
	Valid    bool          `json:"valid"`
	Files    []string      `json:"files"`
	Errors   role.Problems `json:"errors"`
	Warnings []string      `json:"warnings"`
}

func check(path, place string, asJSON bool, out io.Writer) error {
	if place == "" {
		place = path
	}
	v := verdict{Files: []string{place}, Errors: role.Problems{}, Warnings: []string{}}
	r, err := role.ReadAs(path, place).Load()
	if err == nil {
		v.Valid, v.Files, v.Warnings = true, r.Files, append(v.Warnings, warnings(r)...)
	} else if !errors.As(err, &v.Errors) {
		v.Errors = role.Problems{{File: place, Text: err.Error()}}
	}
	if asJSON {
		if err := encoder(out).Encode(v); err != nil {
			return err
		}
	}
	if err != nil {
		if asJSON {
			return reported{err}
		}
		return err
	}
	if !asJSON {
		for _, w := range v.Warnings {
			fmt.Fprintf(out, "warning: %s\n", w)
		}
		fmt.Fprintf(out, "%s: good: %s\n", r.Files[0], summary(r))
	}
	return nil
}

func summary(r *role.Role) string {
	way := "per-job"
	if r.Standing() {
		way = "standing"
	}
	if r.Kind == role.Single {
		return "single host"
	}
	text := fmt.Sprintf("%s, %s", r.Kind, way)
	if r.Cluster.Head.Host != "" {
		text += ", head " + r.Cluster.Head.String()
	}
	return text
}

// wants is the folder in which systemd keeps the units that start at boot.
const wants = "/etc/systemd/system/multi-user.target.wants"

// warnings are about what is valid but probably a mistake. A per-job node that starts at boot ends
// with exit code 69 if no job runs.
func warnings(r *role.Role) []string {
	unit := host.UnitName(r.Name)
	all := r.Warnings(unit)
	path, err := filepath.Abs(r.Files[0])
	if err != nil || r.Standing() || r.Kind == role.Single || filepath.Dir(path) != filepath.Dir(defaultRole) {
		return all
	}
	if _, err := os.Lstat(filepath.Join(wants, unit)); err != nil {
		return all
	}
	return append(all, fmt.Sprintf(
		`%s starts at boot, but the role is per-job: systemctl disable %s, or watchdog.on_head_loss = "rejoin"`, unit, unit,
	))
}
