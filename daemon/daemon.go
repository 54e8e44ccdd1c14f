package daemon

import (
	"context"
	"os"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// Options are what a daemon needs from its process.
type Options struct {
	Role    *role.Role // as Files say
	Files   role.Files
	Dirs    host.Dirs
	Log     logrus.FieldLogger
	Relog   func(role.Log)  // has Log follow a changed role; nil: it does not
	Hangups <-chan struct{} // each asks for a reload
	Systemd *notify.Systemd
	Tree    *child.Tree                         // every process of this daemon's
	Env     []string                            // of this process; Ray's is made from it
	Output  func(name string) (*os.File, error) // where a child called name writes; the daemon closes it
}

// Daemon is one node of one role, one life after another. Its state belongs to the goroutine that
// is in Run.
type Daemon struct {
	options Options
	loop    *loop
	warmed  ray.Install // whose files were read beforehand
}

// New makes a daemon. Nothing happens before Run.
func New(o Options) *Daemon {
	return &Daemon{options: o, loop: newLoop(newRoles(o.Role), o.Log, o.Relog, o.Systemd)}
}

// readTimeout is how long the reading of files may hold up the end of a node.
const readTimeout = 5 * time.Second

// retryInterval is how long a standing node waits before it tries again what was wrong.
const retryInterval = 10 * time.Second

// Run lives one life after another until there is a reason to end, which it returns; it is never
// nil. A per-job node has one life. The first end of ctx asks it to stop; the end of hurry makes it
// skip what is left of the grace.
func (d *Daemon) Run(ctx, hurry context.Context) error {
	o := d.options
	d.loop.startBeat()
	defer d.loop.beat.Stop()
	if err := o.Dirs.Make(); err != nil {
		return d.loop.end(err)
	}
	lock, err := o.Dirs.Lock()
	if err != nil {
		return d.loop.end(err)
	}
	defer lock.Close()
	kill := func(context.Context) error { return killLeftovers(o.Tree, o.Dirs, o.Log) }
	if err := d.loop.until(ctx, kill); err != nil {
		return d.loop.end(err)
	}
	stop := d.startWatchingForReloads(ctx)
	defer stop()
	return d.liveOn(ctx, hurry)
}

// startWatchingForReloads returns what ends the watch. A watch that hangs in a file, which a
// network file system may do for ever, is left behind.
func (d *Daemon) startWatchingForReloads(ctx context.Context) (stop func()) {
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.watchForReloads(watching)
	}()
	return func() {
		cancel()
		select {
		case <-ended:
		case <-time.After(readTimeout):
		}
	}
}

// liveOn begins one life after another.
func (d *Daemon) liveOn(ctx, hurry context.Context) error {
	for {
		err := d.loop.activate(ctx)
		switch {
		case reason.Of(err).Renewed:
			continue
		case err != nil:
			return d.loop.end(err)
		case ctx.Err() != nil:
			return d.loop.end(context.Cause(ctx))
		}
		why := newLife(d.loop, d.options, &d.warmed).run(ctx, hurry)
		if !d.loop.goesOn(why) {
			return why
		}
		if reason.Of(why).Renewed {
			continue
		}
		d.loop.enterWaiting(why)
		if reason.Of(why).HeadGone {
			continue
		}
		retry := func(ctx context.Context) error { return pause.For(ctx, retryInterval) }
		err = d.loop.until(ctx, retry, d.loop.restartRequested)
		if err != nil && !reason.Of(err).Renewed {
			return d.loop.end(err)
		}
	}
}
