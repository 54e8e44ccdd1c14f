package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// waitOptions are the flags of wait; -1 nodes means as many as cluster.nodes says.
type waitOptions struct {
	path    string
	nodes   int
	gpus    int
	timeout time.Duration
	json    bool
}

func waitCommand() *cobra.Command {
	o := waitOptions{nodes: -1, timeout: 20 * time.Minute}
	cmd := &cobra.Command{
		Use:   "wait [--nodes N] [--gpus G] [--timeout T] [HOST...]",
		Short: "Wait until the cluster is complete",
		Long: "Returns once the cluster of the role file has N nodes and G GPUs, and every HOST named is among its " +
			"nodes: the gate\n" +
			"for launch scripts. While it waits it says on stderr who is there, who was there and left, and who is missing.",
		RunE: func(cmd *cobra.Command, hosts []string) error {
			return wait(cmd.Context(), o, hosts, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	roleFlag(cmd, &o.path, "the role file; FILE.d/*.toml are read over it")
	f := cmd.Flags()
	f.IntVar(&o.nodes, "nodes", o.nodes, "how many nodes, the head included; 0: any number")
	f.Lookup("nodes").DefValue = "cluster.nodes"
	f.IntVar(&o.gpus, "gpus", o.gpus, "how many GPUs in all")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "how long to wait")
	f.BoolVar(&o.json, "json", o.json, "print what the cluster has at the end as JSON")
	return cmd
}

func wait(ctx context.Context, o waitOptions, hosts []string, stdout, stderr io.Writer) error {
	if o.nodes < -1 || o.gpus < 0 || o.timeout <= 0 {
		return fmt.Errorf("%w: --nodes and --gpus must be 0 or more, --timeout more than 0", errUsage)
	}
	r, err := role.Load(o.path)
	if err != nil {
		return err
	}
	want := cluster.Wanted{Nodes: o.nodes, GPUs: o.gpus, Hosts: hosts}
	ctx, _, stop := signals(ctx, nil)
	defer stop()
	seen, err := gather(ctx, r, want, o.timeout, stderr)
	if errors.Is(err, reason.ErrAsked) {
		err = fmt.Errorf("%w: interrupted: %s", reason.ErrIncomplete, seen)
	}
	if o.json {
		return errors.Join(err, encoder(stdout).Encode(seen))
	}
	if err == nil {
		fmt.Fprintln(stdout, seen)
	}
	return err
}

func gather(
	ctx context.Context, r *role.Role, want cluster.Wanted, limit time.Duration, stderr io.Writer,
) (cluster.Gathered, error) {
	token, err := host.ReadToken(r)
	if err != nil {
		return cluster.Initial(r, want), err
	}
	return cluster.Gather(ctx, r, cluster.Gathering{
		Decide: func(ctx context.Context) (*role.Role, error) { return host.Decide(ctx, r, os.Getenv) },
		Token:  token.Secret, Want: want, Limit: limit,
		Report: func(text string) { fmt.Fprintln(stderr, text) },
	})
}
