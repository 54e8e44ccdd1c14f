package host

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// Decide returns the role with its kind decided. A cluster of one host is a single host. With
// [cluster.auto], the launcher's variables decide. Otherwise the host that has the address of
// cluster.head is the head.
func Decide(ctx context.Context, r *role.Role, getenv func(string) string) (*role.Role, error) {
	decided := *r
	if r.Kind != role.Auto {
		return &decided, nil
	}
	if r.Cluster.Auto != nil {
		return &decided, decideByLauncher(&decided, getenv)
	}
	if r.Cluster.Nodes == 1 {
		decided.Kind = role.Single
		return &decided, nil
	}
	resolved, err := resolve(ctx, r.Cluster.Head.Host)
	if err != nil {
		return nil, err
	}
	mine, err := isHead(r, resolved)
	if err != nil {
		return nil, err
	}
	if mine {
		decided.Kind = role.Head
	} else {
		MakeWorker(&decided)
	}
	return &decided, nil
}

// MakeWorker makes the role a worker's. If all hosts have one file, its [job] belongs to the head,
// so a worker drops it.
func MakeWorker(r *role.Role) {
	r.Kind = role.Worker
	r.Job = role.Job{}
}

// isHead says whether this host has one of the head's addresses. If the role file sets node.ip,
// only that address counts.
func isHead(r *role.Role, resolved []netip.Addr) (bool, error) {
	if ip, err := netip.ParseAddr(r.Node.IP); err == nil {
		return slices.Contains(resolved, ip.Unmap()), nil
	}
	local, err := localAddrs()
	if err != nil {
		return false, reason.Unfit("role", "cannot list this host's addresses: %w", err)
	}
	_, mine := ofThisHost(r.Cluster.Head.Host, resolved, local)
	return mine, nil
}

// decideByLauncher fills in what the launcher's variables say.
func decideByLauncher(r *role.Role, getenv func(string) string) error {
	names := r.Cluster.Auto
	rank, err1 := number(getenv, "rank", names.Rank)
	nodes, err2 := number(getenv, "nodes", names.Nodes)
	var err3 error
	host := getenv(names.HeadHost)
	switch _, notIP := netip.ParseAddr(host); {
	case host == "" && (err2 != nil || nodes != 1):
		err3 = unset("head_host", names.HeadHost)
	case notIP != nil && strings.Contains(host, ":"):
		err3 = fmt.Errorf(
			"%w: cluster.auto.head_host: the variable %s must be a host without a port, got %q",
			reason.ErrRole, names.HeadHost, host,
		)
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if rank >= nodes {
		return fmt.Errorf(
			"%w: cluster.auto: %s must be below %s, got %d and %d", reason.ErrRole, names.Rank, names.Nodes, rank, nodes,
		)
	}
	r.Cluster.Nodes = nodes
	r.Cluster.Head.Host = host
	switch {
	case nodes == 1:
		r.Kind = role.Single
	case rank == 0:
		r.Kind = role.Head
	default:
		MakeWorker(r)
	}
	return nil
}

func number(getenv func(string) string, key, name string) (int, error) {
	text := getenv(name)
	if text == "" {
		return 0, unset(key, name)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: cluster.auto.%s: the variable %s must be a number, got %q", reason.ErrRole, key, name, text)
	}
	return n, nil
}

func unset(key, name string) error {
	return fmt.Errorf(
		"%w: cluster.auto.%s: the variable %s is not set: the launcher must set it", reason.ErrRole, key, name,
	)
}

// DecideNow is Decide for a command that does not wait: if the head's name has no address, the
// head cannot be reached.
func DecideNow(ctx context.Context, r *role.Role) (*role.Role, error) {
	decided, err := Decide(ctx, r, os.Getenv)
	if errors.Is(err, ErrUnresolved) {
		err = fmt.Errorf("%w: %w", reason.ErrUnreachable, err)
	}
	return decided, err
}
