package cluster

import (
	"context"
	"fmt"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

// Follow holds a stream to the head open and returns when the stream ends. See gcs.Conn.Follow.
func (m *Member) Follow(ctx context.Context, serving func(bool)) error {
	conn, err := m.dial(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Follow(ctx, serving)
}

// Probe asks the head on a new connection which cluster it is and whether it lists this node.
func (m *Member) Probe(ctx context.Context) watchdog.Answer {
	conn, err := gcs.Dial(ctx, m.headInForce())
	if err != nil {
		return noAnswer(err)
	}
	defer conn.Close()
	id, err := conn.ClusterID(ctx)
	if err != nil {
		return noAnswerOn(err)
	}
	if id != m.ID {
		return watchdog.Answer{
			Verdict: watchdog.Another,
			Err:     fmt.Errorf("%s is now cluster %s, this node joined %s", m.Head.Address, id, m.ID),
		}
	}
	alive, err := m.stillAlive(ctx, conn)
	if err != nil {
		return noAnswerOn(err)
	}
	if !alive {
		return m.disowned(ctx, conn)
	}
	return watchdog.Answer{Verdict: watchdog.Answered}
}

// stillAlive asks a question that the GCS's own loop answers. Only from Ray 2.49 on can the
// question name a node, and a node that has not joined yet is not asked about.
func (m *Member) stillAlive(ctx context.Context, conn *gcs.Conn) (bool, error) {
	if m.listed.Load() && ray.AtLeast(m.Version, 2, 49) {
		return m.alive(ctx, conn)
	}
	_, err := conn.CheckAlive(ctx)
	return err == nil, err
}

// disowned reads in the GCS's table what it says about this node.
func (m *Member) disowned(ctx context.Context, conn *gcs.Conn) watchdog.Answer {
	me, err := m.me(ctx, conn)
	switch {
	case err != nil:
		return noAnswerOn(err)
	case me.Alive:
		return watchdog.Answer{Verdict: watchdog.Answered}
	}
	err = fmt.Errorf("the GCS says node %s is dead%s", m.NodeID, reason.Because(me.Death.Message))
	if me.Death.Signalled() {
		err = fmt.Errorf("%w: %w", err, reason.ErrSignalled)
	}
	return watchdog.Answer{Verdict: watchdog.Disowned, Err: err}
}

// noAnswer says what a fault of the client means to the watch. If something that is not a GCS
// answers, the head is gone. A GCS that now refuses the token is another one. A shortage on this
// host says nothing about the head.
func noAnswer(err error) watchdog.Answer {
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

// noAnswerOn is noAnswer for a fault on an open connection. The head's host has accepted it, so
// the host itself is not silent.
func noAnswerOn(err error) watchdog.Answer {
	a := noAnswer(err)
	if a.Verdict == watchdog.Silent {
		a.Verdict = watchdog.Stuck
	}
	return a
}
