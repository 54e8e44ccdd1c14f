package cluster

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
)

// AskTimeout is how long one question to the GCS may take.
const AskTimeout = 5 * time.Second

// listInterval is between two questions whether the GCS lists this node.
const listInterval = 20 * time.Millisecond

// Member is one start of this host's node, as the GCS of its cluster lists it. Each field is set
// before the first call of a method that needs it, and does not change afterwards.
type Member struct {
	Head    gcs.Head             // the GCS to ask; a head asks its own
	Silent  func() time.Duration // how long the head may be silent, by the role in force
	ID      string               // the cluster id; a worker knows it from the start, a head after Await
	Version string               // the Ray of the GCS
	NodeID  string               // from the raylet's command line; before Ray 2.40 "" until Await has found it
	StartID string               // identifies this start as long as there is no NodeID
	IsHead  bool

	listed atomic.Bool // Await has seen this start
}

// Await returns nil once the GCS lists this very start of the node as alive. It returns an error
// if the context ends or the token is refused.
func (m *Member) Await(ctx context.Context) error {
	for {
		conn, err := m.dial(ctx)
		if err == nil {
			err = m.awaitOn(ctx, conn)
			_ = conn.Close()
		}
		if err == nil {
			m.listed.Store(true)
			return nil
		}
		if gcs.FaultOf(err) == gcs.Unauthorized {
			return fmt.Errorf("%w: %w", reason.ErrToken, err)
		}
		if err := pause.For(ctx, listInterval); err != nil {
			return err
		}
	}
}

// awaitOn asks on one connection until the node is listed or the connection breaks. A head then
// also learns the id of the cluster that it has just made.
func (m *Member) awaitOn(ctx context.Context, conn *gcs.Conn) error {
	for {
		alive, err := m.alive(ctx, conn)
		if err != nil {
			return err
		}
		if alive && m.IsHead {
			m.ID, err = conn.ClusterID(ctx)
			return err
		}
		if alive {
			return nil
		}
		if err := pause.For(ctx, listInterval); err != nil {
			return err
		}
	}
}

// alive asks whether the GCS lists this start of the node as alive. From Ray 2.49 on, one call
// asks for one node; before, the whole table is read. Before 2.40, the raylet's id is not on its
// command line, and the start id identifies the start.
func (m *Member) alive(ctx context.Context, conn *gcs.Conn) (bool, error) {
	if m.NodeID != "" && ray.AtLeast(m.Version, 2, 49) {
		a, err := conn.CheckAlive(ctx, m.NodeID)
		return err == nil && len(a.Nodes) == 1 && a.Nodes[0], err
	}
	me, err := m.me(ctx, conn)
	if err == nil && me.Alive {
		m.NodeID = me.ID
	}
	return me.Alive, err
}

// me returns this node as the GCS lists it; the zero Node if it does not.
func (m *Member) me(ctx context.Context, conn *gcs.Conn) (gcs.Node, error) {
	all, err := conn.Nodes(ctx)
	for _, n := range all {
		if n.ID == m.NodeID || m.NodeID == "" && n.InstanceID == m.StartID {
			return n, nil
		}
	}
	return gcs.Node{}, err
}

// Nodes returns all nodes that the GCS lists, dead ones included.
func (m *Member) Nodes(ctx context.Context) ([]gcs.Node, error) {
	conn, err := m.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	return conn.Nodes(ctx)
}

// Drained returns reason.ErrDrained if the GCS says that this node left in order. It returns nil
// if the node died, or if that cannot be found out.
func (m *Member) Drained(ctx context.Context) error {
	conn, err := m.dial(ctx)
	if err != nil {
		return nil
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	me, err := m.me(ctx, conn)
	if err != nil || me.Alive {
		return nil
	}
	if me.Death.Signalled() { // somebody stopped Ray on this host, which is no drain
		return nil
	}
	switch me.Death.Reason {
	case gcs.ExpectedTermination, gcs.DrainPreempted, gcs.DrainIdle:
		return fmt.Errorf("%w%s", reason.ErrDrained, reason.Because(me.Death.Message))
	default:
		return nil
	}
}

// Leave tells the GCS that this node is about to leave. The GCS then places no more work here, and
// running work has until the deadline to end.
func (m *Member) Leave(ctx context.Context, why string, deadline time.Time) error {
	conn, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	return conn.Drain(ctx, m.NodeID, why, deadline)
}

func (m *Member) dial(ctx context.Context) (*gcs.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, AskTimeout)
	defer cancel()
	return gcs.Dial(ctx, m.headInForce())
}

// headInForce is the head, with the time for which it may be silent by the role in force.
func (m *Member) headInForce() gcs.Head {
	head := m.Head
	head.Silent = m.Silent()
	return head
}
