package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/ray"
)

// tries is how often Ray is started at most, where only its agents were too slow.
const tries = 3

// comeUp starts Ray and returns once the GCS lists this node. Ray gives its agents a fixed time,
// and what they read is in memory after a start that failed: such a one, and no other, is tried
// again at once, within ray.start_timeout. Nobody else has seen it: workers wait for the head's own
// node.
func (l *life) comeUp(ctx context.Context) error {
	l.role = l.now().Role // what is live in it may have changed while this node waited
	l.running, l.node.Role = l.role, l.role
	if err := l.provide(); err != nil {
		return err
	}
	l.sayUncompiled()
	l.deadline = time.Now().Add(l.role.Ray.StartTimeout.Duration)
	for try := 1; ; try++ {
		if err := l.start(); err != nil {
			return err
		}
		err := l.until(ctx, l.tend, l.arrive, l.watch, l.anew)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, errSlowAgents) || ctx.Err() != nil || time.Now().After(l.deadline):
			return l.judged(ctx, err)
		case try == tries:
			return l.judged(ctx, failed("in each of %d tries %w", tries, err))
		}
		l.hear(news{reason, fmt.Sprintf("%s: trying again, %d of %d", errSlowAgents, try+1, tries)})
		if err := l.clear(ctx); err != nil {
			return l.judged(ctx, failed("cannot end a start that failed: %w", err))
		}
	}
}

// clear ends what a start that failed has left, the GCS last.
func (l *life) clear(ctx context.Context) error {
	grace := l.now().Stop.Grace.Duration
	return l.until(context.WithoutCancel(ctx), func(context.Context) error {
		spared, stages := l.brood.stages()
		return l.tree.Stop(ctx, grace, spared, stages...) // a node that is asked to stop has no time to lose here
	})
}

// sayUncompiled says what makes every start of Ray slow on this host.
func (l *life) sayUncompiled() {
	if packages := l.install.Uncompiled(); packages != "" {
		l.entry().Warnf("ray.bin: the Python files in %s are not compiled: Ray's agents need four times the CPU to start, "+
			"and may take %g s; run once, as a user who may write there: %s",
			packages, ray.AgentLimit.Seconds(), l.install.Compile(packages))
	}
}

// warmUp has all read, once, that Ray's agents import, while there is nothing else to do: a start
// finds it in memory, and compiled where this user may write. It has the lowest priority, and runs
// on when the head is there.
func (l *life) warmUp() {
	path, args := l.install.WarmUp()
	if path == "" || l.warmed == l.install {
		return
	}
	l.warmed = l.install
	p, err := l.tree.Start(child.Command{Path: path, Args: args, Env: l.environment.Env(), Dir: "/", Idle: true})
	if err != nil {
		l.log.WithError(err).Debug("cannot read beforehand what Ray imports")
		return
	}
	l.keep(p)
}
