package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// life is one life of one Ray under one role, from the checks of the host to the last process gone.
type life struct {
	*loop
	dirs      host.Dirs
	env       []string // of raynoded itself
	processes *processes

	install     ray.Install
	warmed      *ray.Install // whose files were read beforehand, in this life or another
	token       host.Token
	node        ray.Node
	sources     environ.Sources
	environment environ.Result

	program ray.Program // our raylet, once it is seen
	member  *cluster.Member
	joined  bool           // the GCS has listed this node
	job     *child.Process // the [job], once it runs
}

func newLife(l *loop, o Options, warmed *ray.Install) *life {
	silent := func() time.Duration { return l.roles.now().Watchdog.Silent.Duration }
	return &life{
		loop: l, dirs: o.Dirs, env: o.Env,
		warmed:    warmed,
		processes: newProcesses(o, l.note),
		member:    &cluster.Member{Silent: silent},
	}
}

// role is the one that this life began with; of a Ray that runs, what it was started with.
func (l *life) role() *role.Role { return l.roles.life }

// run lives once and returns why it ended, with nothing left behind.
func (l *life) run(ctx, hurry context.Context) error {
	defer l.processes.forget()
	why := l.serve(ctx)
	if l.phase == Waiting && l.goesOn(why) {
		return why
	}
	over := l.drain(hurry, why)
	if errors.Is(why, reason.ErrChanged) && errors.Is(over, reason.ErrHeadLost) && !l.roles.elsewhere() {
		why = over // a per-job worker has no head for another life
	}
	l.enter(Stopping, why)
	if err := l.stop(ctx, hurry, why); err != nil {
		return fmt.Errorf("%w; %w", why, reason.UnfinishedError{Err: err})
	}
	return why
}

// serve brings the node into its cluster and keeps it there.
func (l *life) serve(ctx context.Context) error {
	if l.role().Kind == role.Single {
		return l.serveAlone(ctx)
	}
	l.enterWaiting(nil)
	for _, step := range []guard{l.prepare, l.tidyFirst, l.join} {
		if err := l.until(ctx, step, l.restartRequested); err != nil {
			return err
		}
	}
	l.enter(Starting, nil)
	if err := l.comeUp(ctx); err != nil {
		return err
	}
	if err := l.dirs.WriteRayEnv(l.role().Name, l.node.DriverEnv()); err != nil {
		return err
	}
	l.joined = true
	l.enter(Running, nil)
	return l.judge(ctx, l.until(
		ctx, l.processes.supervise, l.watch, l.census, l.tidy, l.runJob, l.restartRequested,
	))
}

// serveAlone is the life of a single host: Ray, if any, is started inside the job.
func (l *life) serveAlone(ctx context.Context) error {
	prepare := func(context.Context) error { return errors.Join(l.resolveEnvironment(), l.jobFound()) }
	if err := l.until(ctx, prepare, l.restartRequested); err != nil {
		return err
	}
	if err := l.finalizeEnvironment(); err != nil {
		return err
	}
	l.enter(Running, nil)
	return l.until(ctx, l.runJob, l.restartRequested)
}

// killAtOnce is the grace where nobody is left to say goodbye to: the cluster is gone, and the GPUs
// are wanted.
const killAtOnce = 0

// stop ends the job, then Ray: the raylet says goodbye while the rest still lives, the GCS hears
// it.
func (l *life) stop(ctx, hurry context.Context, why error) error {
	if err := host.Remove(l.dirs.RayEnv()); err != nil {
		l.log.WithError(err).Warn("cannot remove ray.env")
	}
	jobGrace := l.roles.now().Stop.Grace.Duration
	grace := jobGrace
	if reason.Of(why).HeadGone || l.processes.headless {
		grace = killAtOnce
	}
	return l.until(context.WithoutCancel(ctx), func(context.Context) error {
		if l.job != nil {
			l.processes.stopJob(hurry, *l.job, jobGrace)
		}
		if err := l.processes.stop(hurry, grace); err != nil {
			return err
		}
		for _, path := range []string{l.dirs.Processes(), l.dirs.NCCLConf(), l.dirs.RayToken()} {
			if err := host.Remove(path); err != nil {
				l.log.WithError(err).Warn("a file stays that says nothing any more")
			}
		}
		return nil
	})
}
