package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

// life is one life of one Ray under one role, from the checks of the host to the last process gone.
type life struct {
	*Daemon
	role    *role.Role // that this life began with; of a Ray that runs, what it was started with
	install ray.Install
	node    ray.Node

	sources     environ.Sources
	environment environ.Result

	head    gcs.Head    // the GCS to ask: of a head, its own
	cluster string      // its cluster id
	version string      // its Ray's
	nodeID  string      // this node's, in the GCS
	program ray.Program // our raylet, once it is seen

	raylet   chan member   // takes our raylet when it is seen
	deadline time.Time     // for Ray to come up
	over     chan struct{} // closed at the end of this life

	brood  brood
	joined bool           // the GCS has listed this node
	job    *child.Process // the [job], once it runs
	begun  *begun
}

// life lives once and returns why it ended, with nothing left behind.
func (d *Daemon) life(ctx, hurry context.Context) error {
	l := &life{Daemon: d, role: d.now().Role, raylet: make(chan member, 1), over: make(chan struct{}), begun: &begun{}}
	defer close(l.over)
	why := l.live(ctx)
	if d.phase == Waiting && d.goesOn(why) {
		return why
	}
	if over := l.drain(hurry, why); errors.Is(why, errAnew) && errors.Is(over, watchdog.ErrHeadLost) && !l.elsewhere() {
		why = over // a per-job worker has no head to begin anew with
	}
	d.enter(Stopping, why)
	if err := l.stop(ctx, hurry, why); err != nil {
		return fmt.Errorf("%w; %w", why, UnfinishedError{err})
	}
	return why
}

func (l *life) live(ctx context.Context) error {
	if l.role.Kind == role.Single {
		return l.alone(ctx)
	}
	l.wait(nil)
	if err := l.until(ctx, l.prepare, l.anew); err != nil {
		return err
	}
	if err := l.until(ctx, l.tidyFirst, l.anew); err != nil {
		return err
	}
	if err := l.until(ctx, l.join, l.anew); err != nil {
		return err
	}
	l.enter(Starting, nil)
	if err := l.comeUp(ctx); err != nil {
		return err
	}
	if err := l.announce(); err != nil {
		return err
	}
	l.joined = true
	l.enter(Running, nil)
	return l.judged(ctx, l.until(ctx, l.tend, l.watch, l.census, l.tidy, l.work, l.anew))
}

// alone is the life of a single host: Ray, if any, is started inside the job.
func (l *life) alone(ctx context.Context) error {
	equip := func(context.Context) error { return errors.Join(l.equip(), l.jobFound()) }
	if err := l.until(ctx, equip, l.anew); err != nil {
		return err
	}
	if err := l.provide(); err != nil {
		return err
	}
	l.enter(Running, nil)
	return l.until(ctx, l.work, l.anew)
}

// judged looks at a failure of Ray again. If the head of a worker does not answer either, the head
// comes first; if the raylet left in order, somebody may have drained the node. A node that is
// asked to stop meanwhile has nothing to blame.
func (l *life) judged(ctx context.Context, why error) error {
	var f failure
	if !errors.As(why, &f) {
		return l.unjoined(why)
	}
	if l.role.Kind == role.Worker {
		if lost := l.until(ctx, l.judge); lost != nil {
			return l.unjoined(lost)
		}
	}
	if l.role.Kind == role.Worker && l.joined {
		if err := l.until(ctx, l.drained); err != nil {
			return err
		}
	}
	if ctx.Err() != nil { // neither judge nor drained says so
		return context.Cause(ctx)
	}
	if l.joined && len(l.role.Job.Command) > 0 {
		return fmt.Errorf("%w: %w", ErrRayUnderJob, f.error)
	}
	return fmt.Errorf("%w: %w", ErrRay, f.error)
}

// unjoined is what a lost head means to a worker that never joined it.
func (l *life) unjoined(lost error) error {
	if l.joined || !errors.Is(lost, watchdog.ErrHeadLost) {
		return lost
	}
	return fmt.Errorf("%w: it went away while this node joined: %s", ErrUnreachable, lost.Error())
}

// killAtOnce is the grace where nobody is left to say goodbye to: the cluster is gone, and the GPUs
// are wanted.
const killAtOnce = 0

// stop ends the job, then Ray: the raylet says goodbye while the rest still lives, the GCS hears
// it.
func (l *life) stop(ctx, hurry context.Context, why error) error {
	l.withdraw()
	jobGrace := l.now().Stop.Grace.Duration
	grace := jobGrace
	if gone(why) || l.brood.headless {
		grace = killAtOnce
	}
	return l.until(context.WithoutCancel(ctx), func(context.Context) error {
		if l.job != nil {
			_ = l.tree.StopGroup(hurry, *l.job, jobGrace) // who is left of it is left for Stop, which names it
		}
		spared, stages := l.brood.stages()
		if err := l.tree.Stop(hurry, grace, spared, stages...); err != nil {
			return err
		}
		for _, path := range []string{l.place.processFile(), l.place.ConfFile(), l.place.tokenCopy()} {
			if err := remove(path); err != nil {
				l.log.WithError(err).Warn("a file stays that says nothing any more")
			}
		}
		return nil
	})
}

// remove takes away a file that may be missing.
func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
