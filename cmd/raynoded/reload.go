package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
)

func reloadCommand() *cobra.Command {
	path, asJSON := "", false
	cmd := &cobra.Command{
		Use:   "reload [--role FILE]",
		Short: "Make a running node read its role file now",
		Long: "Makes the raynoded that runs FILE read it and its drop-ins at once, waits, and says which keys apply from " +
			"now on\n" +
			"and which wait for Ray's next start. raynoded also sees an edit without this command, within half a second; " +
			"the\n" +
			"command adds the answer. `systemctl reload` runs it. Only root and the user that the node runs as may ask.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return reload(cmd.Context(), path, asJSON, cmd.OutOrStdout())
		},
	}
	roleFlag(cmd, &path, "the role file that the node was started with")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// answerLimit is how long a daemon may take to read its files: a network file system may hang.
const answerLimit = time.Minute

func reload(ctx context.Context, path string, asJSON bool, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	r, err := askReload(ctx, role.Name(path))
	if err != nil {
		return err
	}
	if asJSON {
		if err := encoder(out).Encode(r); err != nil {
			return err
		}
	}
	switch {
	case len(r.Errors) > 0 && asJSON:
		return reported{r.Errors}
	case len(r.Errors) > 0:
		return r.Errors
	case !asJSON:
		fmt.Fprintln(out, r)
	}
	return nil
}

// askReload asks the daemon of an instance. It looks in the folders of this user first, then in
// those of the unit.
func askReload(ctx context.Context, name string) (report.Reloaded, error) {
	user := host.FindDirs(name, os.Getenv).ControlSocket()
	r, err := report.Reload(ctx, user)
	unit := host.UnitDirs(name).ControlSocket()
	if errors.Is(err, report.ErrNotRunning) && unit != user {
		return report.Reload(ctx, unit)
	}
	return r, err
}
