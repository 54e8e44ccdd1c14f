package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

// watch is the watch over the head. A head watches its own GCS, once it is there: if that is lost,
// Ray has failed here, not somewhere else.
func (l *life) watch(ctx context.Context) error {
	if l.node.Head && !l.joined {
		return forever(ctx)
	}
	err := watchdog.Watch(ctx, l.windows, l.watched(), func(text string) { l.tell(ctx, doubt, text) })
	switch {
	case errors.Is(err, watchdog.ErrDisowned):
		return failure{err}
	case l.node.Head && errors.Is(err, watchdog.ErrHeadLost):
		return failed("its own GCS: %s", err.Error())
	default:
		return err
	}
}

// judge asks whether the head answers after Ray failed here: nil if it does. A persistent head that
// is only away will be back, and what failed here is to be started again for it: only another
// cluster in its place is its loss.
func (l *life) judge(ctx context.Context) error {
	if !l.role.Cluster.PersistentHead {
		return watchdog.Judge(ctx, l.policy(), l.watched())
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	if a := l.probe(ctx); a.Verdict == watchdog.Another {
		return &watchdog.LostError{Word: watchdog.WordAnother, Err: a.Err}
	}
	return nil
}

// windows are the policy as the role file has it now.
func (l *life) windows() (watchdog.Policy, <-chan struct{}) {
	r := l.now()
	return l.policyOf(r.Role), r.replaced
}

func (l *life) policy() watchdog.Policy { return l.policyOf(l.now().Role) }

func (l *life) policyOf(r *role.Role) watchdog.Policy {
	refused, silent, stuck := r.Windows()
	if w := r.Watchdog; l.node.Head { // its own GCS does not come back by itself
		refused, silent, stuck = w.Refused.Duration, w.Silent.Duration, w.Stuck.Duration
	}
	interval := watchdog.Interval(r.Watchdog.CheckInterval.Duration, r.Cluster.Nodes)
	return watchdog.Policy{Refused: refused, Silent: silent, Stuck: stuck, Interval: interval}
}

func (l *life) watched() watchdog.Head {
	return watchdog.Head{Follow: l.follow, Probe: l.probe}
}

func (l *life) follow(ctx context.Context, serving func(bool)) error {
	conn, err := l.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Follow(ctx, serving)
}

// probe asks the head on a new connection who it is, and whether it has this node.
func (l *life) probe(ctx context.Context) watchdog.Answer {
	conn, err := gcs.Dial(ctx, l.asked())
	if err != nil {
		return unanswered(err)
	}
	defer conn.Close()
	id, err := conn.ClusterID(ctx)
	if err != nil {
		return taken(err)
	}
	if id != l.cluster {
		return watchdog.Answer{
			Verdict: watchdog.Another,
			Err:     fmt.Errorf("%s is now cluster %s, this node joined %s", l.head.Address, id, l.cluster),
		}
	}
	alive, err := l.stillAlive(ctx, conn)
	if err != nil {
		return taken(err)
	}
	if !alive {
		return l.disowned(ctx, conn)
	}
	return watchdog.Answer{Verdict: watchdog.Answered}
}

// stillAlive asks through the GCS's own loop. Only from Ray 2.49 on does that question name a node;
// one that has not joined yet is not asked for.
func (l *life) stillAlive(ctx context.Context, conn *gcs.Conn) (bool, error) {
	if l.joined && ray.AtLeast(l.version, 2, 49) {
		return l.alive(ctx, conn)
	}
	_, err := conn.CheckAlive(ctx)
	return err == nil, err
}

// disowned reads in the table what the GCS says of this node.
func (l *life) disowned(ctx context.Context, conn *gcs.Conn) watchdog.Answer {
	me, err := l.me(ctx, conn)
	switch {
	case err != nil:
		return taken(err)
	case me.Alive:
		return watchdog.Answer{Verdict: watchdog.Answered}
	default:
		return watchdog.Answer{
			Verdict: watchdog.Disowned,
			Err:     fmt.Errorf("the GCS says node %s is dead%s", l.nodeID, quote(me.Death.Message)),
		}
	}
}

// unanswered is what a fault of the client's means to the watch. Something that is no GCS has the
// head's place, and one that refuses the token it took before is another. A shortage on this host
// says nothing of the head.
func unanswered(err error) watchdog.Answer {
	verdict := watchdog.Answered
	switch gcs.FaultOf(err) {
	case gcs.Refused, gcs.Broken, gcs.NotRay:
		verdict = watchdog.Refused
	case gcs.Silent, gcs.Unresolved:
		verdict = watchdog.Silent
	case gcs.Stuck:
		verdict = watchdog.Stuck
	case gcs.Unauthorized:
		verdict = watchdog.Another
	case gcs.Unknown:
		verdict = watchdog.Unable
	case gcs.Rejected:
	}
	return watchdog.Answer{Verdict: verdict, Err: err}
}

// taken is what a fault means on a connection that the head's host took: that came back, so the
// host is not silent.
func taken(err error) watchdog.Answer {
	a := unanswered(err)
	if a.Verdict == watchdog.Silent {
		a.Verdict = watchdog.Stuck
	}
	return a
}

// drained returns ErrDrained if the GCS knows that this node left in order, and nil if it died.
func (l *life) drained(ctx context.Context) error {
	conn, err := l.dial(ctx)
	if err != nil {
		return nil
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	me, err := l.me(ctx, conn)
	if err != nil || me.Alive {
		return nil
	}
	switch me.Death.Reason {
	case gcs.ExpectedTermination, gcs.DrainPreempted, gcs.DrainIdle:
		return fmt.Errorf("%w%s", ErrDrained, quote(me.Death.Message))
	default:
		return nil
	}
}

// between two looks at the cluster's nodes: until it is complete, and afterwards.
const (
	counting = time.Second
	recall   = 10 * time.Second
)

// census tells how many of the cluster's nodes are there. It never ends of itself.
func (l *life) census(ctx context.Context) error {
	if l.role.Kind != role.Head {
		return forever(ctx)
	}
	for {
		every, r := counting, l.now()
		if all, err := l.nodes(ctx); err == nil {
			c := count(all)
			l.tell(ctx, nodes, c.of(r.Cluster.Nodes, 0))
			if c.Nodes >= r.Cluster.Nodes {
				every = recall
			}
		}
		if err := r.pause(ctx, every); err != nil {
			return err
		}
	}
}

func (l *life) nodes(ctx context.Context) ([]gcs.Node, error) {
	conn, err := l.dial(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return conn.Nodes(ctx)
}
