package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/role"
)

// envOptions are the flags of env.
type envOptions struct {
	path    string
	pid     int // 0 = compare with no process
	cluster bool
	json    bool
}

func envCommand() *cobra.Command {
	o := envOptions{}
	cmd := &cobra.Command{
		Use:   "env [--role FILE] [--diff PID | --cluster]",
		Short: "Show the environment that Ray gets, and where each value came from",
		Long: "Shows what Ray and the job would find in their environment if the node started now: each value, how it " +
			"gets there\n" +
			"(by the environment, or by the file that NCCL_CONF_FILE names), and its origin; then what is written elsewhere " +
			"on\n" +
			"this host and does not reach a service, and what is probably a mistake. Values of env_from.files are never " +
			"shown,\n" +
			"nor are inherited values that may be secret. The base (PATH, HOME and the like) comes from the environment of " +
			"this\n" +
			"command; a unit may have another one.\n\n" +
			"--diff compares it with the environment that a running process was started with, such as a raylet's; --cluster\n" +
			"compares the nodes of the cluster with each other, by what should be the same on every host.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("diff") && o.pid <= 0 {
				return fmt.Errorf("%w: --diff must be the number of a process", errUsage)
			}
			return env(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	roleFlag(cmd, &o.path, "the role file; FILE.d/*.toml are read over it")
	f := cmd.Flags()
	f.IntVar(&o.pid, "diff", o.pid, "compare with the process of this number")
	f.BoolVar(&o.cluster, "cluster", o.cluster, "compare the nodes of the cluster")
	f.BoolVar(&o.json, "json", o.json, "print the result as JSON")
	return cmd
}

// errDiffer says that the things compared are not the same.
var errDiffer = errors.New("they differ")

func env(ctx context.Context, o envOptions, out io.Writer) error {
	if o.pid != 0 && o.cluster {
		return fmt.Errorf("%w: --diff and --cluster do not go together", errUsage)
	}
	r, err := role.Load(o.path)
	if err != nil {
		return err
	}
	if o.cluster {
		return envCluster(ctx, o, r, out)
	}
	e, err := host.FindEnvironment(ctx, r, host.FindDirs(r.Name, os.Getenv), os.Environ())
	switch {
	case err != nil:
		return err
	case o.pid != 0:
		return envDiff(o, e, out)
	case o.json:
		return encode(out, e)
	default:
		showEnv(e, out)
		return nil
	}
}

// envDiff compares the environment with that of a process.
func envDiff(o envOptions, e host.Environment, out io.Writer) error {
	if e.Unknown != nil {
		return fmt.Errorf("cannot compare: %w", e.Unknown)
	}
	differences, err := e.Compare(o.pid)
	if err != nil {
		return fmt.Errorf("%w: --diff: %w", errUsage, err)
	}
	if o.json {
		err = encode(out, struct {
			PID         int                  `json:"pid"`
			Differences []environ.Difference `json:"differences"`
		}{o.pid, differences})
	} else {
		for _, d := range differences {
			fmt.Fprintf(out, "%s: %s\n", d.Name, d.Text)
		}
	}
	switch {
	case err != nil:
		return err
	case len(differences) > 0:
		return reported{errDiffer}
	case !o.json:
		fmt.Fprintf(out, "Process %d has the environment that it should.\n", o.pid)
	}
	return nil
}

// envCluster compares the nodes of the cluster with each other.
func envCluster(ctx context.Context, o envOptions, r *role.Role, out io.Writer) error {
	token, err := host.ReadToken(r)
	if err != nil {
		return err
	}
	decided, err := host.DecideNow(ctx, r)
	if err != nil {
		return err
	}
	d, err := cluster.FindDigests(ctx, decided, token.Secret)
	if err != nil {
		return err
	}
	if o.json {
		err = encode(out, d)
	} else {
		err = showDigests(d, out)
	}
	if err == nil && d.Differ() {
		return reported{errDiffer}
	}
	return err
}

func showDigests(d cluster.Digests, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	same := 0
	for _, n := range d.Nodes {
		digest, note := n.Digest, ""
		if digest == "" {
			digest = "none"
		}
		if n.Differs {
			note = "\tdiffers"
		} else {
			same++
		}
		fmt.Fprintf(w, "%s\t%s%s\n", n.Name, digest, note)
	}
	fmt.Fprintf(w, "%d of %d nodes have the same environment\n", same, len(d.Nodes))
	return w.Flush()
}

// showEnv prints a table for people.
func showEnv(e host.Environment, out io.Writer) {
	where := string(e.Kind)
	if e.Address != "" {
		where += ", node ip " + e.Address
	}
	if e.Interface != "" {
		where += " on " + e.Interface
	}
	fmt.Fprintf(out, "# %s, digest %s\n", where, e.Digest)
	names, texts := 0, 0
	for _, v := range e.Values {
		names = max(names, len(v.Name))
		if n := len(valueText(v)); n <= widest {
			texts = max(texts, n)
		}
	}
	for _, v := range e.Values {
		fmt.Fprintf(out, "%-*s  %-*s  %-5s  %s\n", names, v.Name, texts, valueText(v), v.Delivery, originText(v))
	}
	for _, n := range e.NotApplied {
		text := n.Name
		if n.Value != "" {
			text += "=" + n.Value
		}
		fmt.Fprintf(out, "not applied: %s of %s: %s\n", text, n.From, n.Why)
	}
	for _, text := range e.Warnings {
		fmt.Fprintf(out, "warning: %s\n", text)
	}
}

// widest is the longest value that the table makes room for. Longer ones stick out.
const widest = 32

// valueText is a value as a person reads it, on one line.
func valueText(v environ.Value) string {
	switch {
	case v.Withheld != "":
		return "(" + v.Withheld + ")"
	case v.Delivery == environ.Unset:
		return "(unset)"
	case strings.ContainsFunc(v.Value, unicode.IsControl):
		return strconv.Quote(v.Value)
	default:
		return v.Value
	}
}

// originText is where a value came from, and for whom it is where that is not all.
func originText(v environ.Value) string {
	if v.RayOnly {
		return v.Origin + " (for Ray, not for [job])"
	}
	return v.Origin
}

func encode(out io.Writer, v any) error {
	e := encoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
