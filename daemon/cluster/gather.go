package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// Wanted is what a launch script waits for.
type Wanted struct {
	Nodes int      // -1 = as many as cluster.nodes says
	GPUs  int      // in all
	Hosts []string // hosts that must be among the nodes, by node name, host name or address
}

// Gathered is how much a cluster has of what is wanted.
type Gathered struct {
	Nodes     int      `json:"nodes"`
	NodesWant int      `json:"nodes_wanted"`
	GPUs      float64  `json:"gpus"`
	GPUsWant  int      `json:"gpus_wanted"`
	Here      []string `json:"here"`    // names of the nodes that are alive
	Missing   []string `json:"missing"` // of the hosts asked for
	Left      []string `json:"left"`    // names of nodes that were there and are not any more
	Complete  bool     `json:"complete"`
}

// emptyResult is a cluster without nodes. Its lists are empty and not nil, which would be null in
// JSON.
func emptyResult(nodes, gpus int) Gathered {
	return Gathered{NodesWant: nodes, GPUsWant: gpus, Here: []string{}, Missing: []string{}, Left: []string{}}
}

// String names the nodes that are there and the hosts that are not.
func (g Gathered) String() string {
	text := Totals{g.Nodes, g.GPUs}.OutOf(g.NodesWant, g.GPUsWant)
	for _, part := range []struct {
		word  string
		names []string
	}{{"here", g.Here}, {"missing", g.Missing}, {"left", g.Left}} {
		if len(part.names) > 0 {
			text += "; " + part.word + ": " + strings.Join(part.names, ", ")
		}
	}
	return text
}

// Gathering is what Gather asks for, where, and for how long.
type Gathering struct {
	// Decide returns the role with its kind decided. Gather calls it again before each question: a
	// name that has no address now may have one later.
	Decide func(context.Context) (*role.Role, error)
	Token  gcs.Token
	Want   Wanted
	Limit  time.Duration
	Report func(string) // what the cluster has, whenever that changes
}

// Gather asks the role's GCS until the cluster has what is wanted, and returns what it has. It
// works with and without a daemon on this host. The error is a reason.ErrIncomplete or
// ErrUnreachable when the time is up. Any other reason is returned at once if asking again would
// not change it.
func Gather(ctx context.Context, r *role.Role, g Gathering) (Gathered, error) {
	ctx, cancel := pause.Within(ctx, g.Limit)
	defer cancel()
	have := Initial(r, g.Want)
	var last string
	met := false
	for {
		now, err := g.ask(ctx)
		switch {
		case err == nil:
			have, met = now, true
			if have.Complete {
				return have, nil
			}
			last = g.reportChange(last, have.String())
		case reason.Of(err).Settled:
			return have, err
		case ctx.Err() == nil:
			last = g.reportChange(last, err.Error())
		case last == "": // the only question, cut short
			last = err.Error()
		}
		over := pause.For(ctx, gatherInterval)
		switch {
		case over == nil:
		case !errors.Is(over, pause.ErrTimeUp):
			return have, over
		case met:
			return have, fmt.Errorf("%w within %s: %s", reason.ErrIncomplete, g.Limit, have)
		default:
			return have, fmt.Errorf("%w within %s: %s", reason.ErrUnreachable, g.Limit, last)
		}
	}
}

// Initial is the result before the cluster has been asked.
func Initial(r *role.Role, want Wanted) Gathered {
	g := want.of(r).compare(nil)
	g.Complete = false
	return g
}

// gatherInterval is the pause between two questions to the cluster.
const gatherInterval = 500 * time.Millisecond

// reportChange reports a text that differs from the last one, and returns it.
func (g Gathering) reportChange(last, text string) string {
	if text != last {
		g.Report(text)
	}
	return text
}

// ask asks the cluster once.
func (g Gathering) ask(ctx context.Context) (Gathered, error) {
	decided, err := g.Decide(ctx)
	if err != nil {
		return Gathered{}, err
	}
	if decided.Kind == role.Single {
		return g.Want.single()
	}
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	conn, all, err := nodesOf(ctx, decided, g.Token)
	if err != nil {
		return Gathered{}, err
	}
	defer conn.Close()
	if err := pinned(ctx, conn, decided.Cluster.ID); err != nil {
		return Gathered{}, err
	}
	return g.Want.of(decided).compare(all), nil
}

// single is the result on a single host. There is nothing to wait for, unless other hosts or nodes
// are wanted.
func (w Wanted) single() (Gathered, error) {
	me, _ := os.Hostname()
	others := slices.DeleteFunc(slices.Clone(w.Hosts), func(host string) bool { return host == me })
	if w.Nodes > 1 || len(others) > 0 {
		return Gathered{}, fmt.Errorf(
			"%w: this is a single host, which has no cluster to wait for: look at role and cluster.nodes",
			reason.ErrRole,
		)
	}
	g := emptyResult(0, 0)
	g.Complete = true
	return g, nil
}

// of returns what is wanted with the role's number of nodes, if none was given.
func (w Wanted) of(r *role.Role) Wanted {
	if w.Nodes < 0 {
		w.Nodes = r.Cluster.Nodes
	}
	return w
}

// nodesOf asks the GCS of a decided role for its nodes. The caller closes the connection.
func nodesOf(ctx context.Context, decided *role.Role, token gcs.Token) (*gcs.Conn, []gcs.Node, error) {
	conn, err := gcs.Dial(ctx, gcs.Head{Address: decided.Cluster.Head.String(), Token: token})
	if err != nil {
		return nil, nil, err
	}
	all, err := conn.Nodes(ctx)
	if gcs.FaultOf(err) == gcs.Unauthorized {
		err = fmt.Errorf("%w: %w", reason.ErrToken, err)
	}
	if err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	return conn, all, nil
}

// pinned returns an error if the cluster is not the one that the role pins.
func pinned(ctx context.Context, conn *gcs.Conn, pin string) error {
	if pin == "" {
		return nil
	}
	id, err := conn.ClusterID(ctx)
	if err == nil && id != pin {
		return fmt.Errorf("%w: cluster.id: pinned to %s, but this is %s", reason.ErrMismatch, pin, id)
	}
	return err
}

// compare compares what is wanted with the GCS's table of nodes.
func (w Wanted) compare(all []gcs.Node) Gathered {
	c, here := Count(all), aliveNodes(all)
	g := emptyResult(w.Nodes, w.GPUs)
	g.Nodes, g.GPUs = c.Nodes, c.GPUs
	for _, n := range here {
		g.Here = append(g.Here, n.Name)
	}
	for _, n := range all {
		if !n.Alive && !slices.Contains(g.Here, n.Name) && !slices.Contains(g.Left, n.Name) {
			g.Left = append(g.Left, n.Name)
		}
	}
	for _, host := range w.Hosts {
		if !slices.ContainsFunc(here, func(n gcs.Node) bool {
			return slices.Contains([]string{n.Name, n.Host, n.Address}, host)
		}) {
			g.Missing = append(g.Missing, host)
		}
	}
	slices.Sort(g.Here)
	slices.Sort(g.Left)
	g.Complete = g.Nodes >= w.Nodes && g.GPUs >= float64(w.GPUs) && len(g.Missing) == 0
	return g
}
