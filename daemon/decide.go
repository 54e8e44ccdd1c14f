package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/role"
)

// retry is between two tries to resolve the head's name.
const retry = time.Second

// settle puts the role file as it is now in force, for the next life.
func (d *Daemon) settle(ctx context.Context) error {
	select {
	case <-d.renewal: // this is what it asked for
	default:
	}
	file, next := d.file, d.carry(d.file, d.now().Role)
	anew := d.decided == nil || !stands(d.decided, file)
	if anew && file.Kind == role.Auto {
		d.wait(nil)
	}
	var prints map[string]string
	if err := d.until(ctx, func(ctx context.Context) (err error) {
		if anew {
			next, err = d.decide(ctx, file)
		}
		if err == nil {
			prints = fingerprints(next)
		}
		return err
	}, d.anew); err != nil {
		return err
	}
	if anew {
		d.decided = file
	}
	d.prints, d.running = prints, nil
	d.use(next.WithLive(d.carry(d.file, next))) // what is live may have changed meanwhile
	d.hear(news{pending, ""})
	return nil
}

// decide turns role = "auto" into what this host is. That stays for the life of the process, unless
// the role file says something else of what it rests on.
func (d *Daemon) decide(ctx context.Context, file *role.Role) (*role.Role, error) {
	if file.Kind != role.Auto {
		return file, nil
	}
	for {
		limited, cancel := d.joinLimit(ctx)
		decided, err := Decide(limited, file, os.Getenv)
		if !errors.Is(err, errUnresolved) {
			cancel()
			return decided, err
		}
		d.tell(limited, reason, err.Error())
		over := d.patient(limited, retry)
		cancel()
		if over != nil {
			return nil, d.unreachable(over, err)
		}
	}
}

// stands says whether what was decided under one role file is so under another.
func stands(old, file *role.Role) bool {
	if old.Kind != file.Kind || file.Kind != role.Auto {
		return old.Kind == file.Kind
	}
	return old.Cluster.Head == file.Cluster.Head && reflect.DeepEqual(old.Cluster.Auto, file.Cluster.Auto) &&
		old.Node.IP == file.Node.IP && (old.Cluster.Nodes == 1) == (file.Cluster.Nodes == 1)
}

// carry is a role file with what this host was found to be, as another role has it.
func (d *Daemon) carry(file, found *role.Role) *role.Role {
	if d.decided == nil || d.decided.Kind != role.Auto || file.Kind != role.Auto {
		return file
	}
	carried := *file
	if found.Kind == role.Worker {
		worker(&carried)
	}
	carried.Kind = found.Kind
	if d.decided.Cluster.Auto != nil && file.Cluster.Auto != nil {
		carried.Cluster.Nodes, carried.Cluster.Head.Host = found.Cluster.Nodes, found.Cluster.Head.Host
	}
	return &carried
}

// joinLimit ends the context of a per-job node cluster.join_timeout after it began to wait,
// whatever it has waited for and however often it began anew since. A standing one waits for ever.
// Guards may read when the phase began: it stays while they run.
func (d *Daemon) joinLimit(ctx context.Context) (context.Context, context.CancelFunc) {
	r := d.now()
	if r.Standing() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, d.entered.Add(r.Cluster.JoinTimeout.Duration), errLimit)
}

// patient pauses within a limit that joinLimit made. That it is over counts only if it still is the
// limit.
func (d *Daemon) patient(limited context.Context, t time.Duration) error {
	over := pause(limited, t)
	if r := d.now(); errors.Is(over, errLimit) &&
		(r.Standing() || time.Since(d.entered) < r.Cluster.JoinTimeout.Duration) {
		return nil
	}
	return over
}

// unreachable is why the wait for the head is over; last is what was wrong with it until then.
func (d *Daemon) unreachable(over, last error) error {
	if !errors.Is(over, errLimit) {
		return over
	}
	return fmt.Errorf("%w within cluster.join_timeout (%s): %w", ErrUnreachable, d.now().Cluster.JoinTimeout, last)
}

// Decide returns the role with its kind decided: one host is a single one; with [cluster.auto] the
// launcher's variables say the rest; without it the head is who has the address of cluster.head.
func Decide(ctx context.Context, r *role.Role, getenv func(string) string) (*role.Role, error) {
	decided := *r
	if r.Kind != role.Auto {
		return &decided, nil
	}
	if r.Cluster.Auto != nil {
		return &decided, launched(&decided, getenv)
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
		worker(&decided)
	}
	return &decided, nil
}

// worker makes a worker of a role. The [job] of one file for all hosts is its head's.
func worker(r *role.Role) {
	r.Kind = role.Worker
	r.Job = role.Job{}
}

// isHead says whether the head's addresses have this host's among them: node.ip if the role file
// names it, else any.
func isHead(r *role.Role, resolved []netip.Addr) (bool, error) {
	if ip, err := netip.ParseAddr(r.Node.IP); err == nil {
		return slices.Contains(resolved, ip.Unmap()), nil
	}
	local, err := locals()
	if err != nil {
		return false, unfit("role", "cannot list this host's addresses: %w", err)
	}
	_, mine := own(r.Cluster.Head.Host, resolved, local)
	return mine, nil
}

// launched fills in what a launcher's variables say.
func launched(r *role.Role, getenv func(string) string) error {
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
			"%w: cluster.auto.head_host: the variable %s must be a host without a port, got %q", ErrRole, names.HeadHost, host,
		)
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if rank >= nodes {
		return fmt.Errorf(
			"%w: cluster.auto: %s must be below %s, got %d and %d", ErrRole, names.Rank, names.Nodes, rank, nodes,
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
		worker(r)
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
		return 0, fmt.Errorf("%w: cluster.auto.%s: the variable %s must be a number, got %q", ErrRole, key, name, text)
	}
	return n, nil
}

func unset(key, name string) error {
	return fmt.Errorf("%w: cluster.auto.%s: the variable %s is not set: the launcher must set it", ErrRole, key, name)
}
