package daemon

import (
	"context"
	"sync"

	"github.com/raynoded/raynoded/daemon/filewatch"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
)

// watchForReloads brings to the loop what asks for a reload, one after the other: files that have
// changed, a command at the control socket, a SIGHUP. It returns when its context ends and all that
// it started has returned. It is no reason to end a node that one of the three does not work.
func (d *Daemon) watchForReloads(ctx context.Context) {
	var others sync.WaitGroup
	defer others.Wait()
	now := make(chan func(host.Snapshot))
	ask := func(asking context.Context) (report.Reloaded, error) {
		answer := make(chan report.Reloaded, 1)
		select {
		case now <- func(r host.Snapshot) { answer <- d.propose(ctx, r) }: // it counts, also if nobody waits for the answer
			return <-answer, context.Cause(ctx)
		case <-asking.Done():
			return report.Reloaded{}, context.Cause(asking)
		}
	}
	others.Go(func() { d.serveCommands(ctx, report.Handlers{Reload: ask}) })
	others.Go(func() {
		for {
			select {
			case <-d.options.Hangups:
				_, _ = ask(ctx) // what came of it is in the log
			case <-ctx.Done():
				return
			}
		}
	})
	inotify, err := filewatch.Open()
	if err != nil {
		d.loop.log.WithError(err).Warn("an edit of the role file takes up to 30 s to be seen")
	} else {
		defer inotify.Close()
	}
	path := d.options.Files.Path()
	inForce := func() *role.Role { return d.loop.roles.now().Role }
	_ = filewatch.Watch(ctx, inotify, filewatch.Subject[host.Snapshot]{
		Paths: func() []string { return host.Paths(path, inForce()) },
		Look:  func() host.Snapshot { return host.Read(path, inForce()) },
		Known: host.Snapshot{Files: d.options.Files, Named: host.Fingerprints(d.options.Role)},
		Now:   now, Settled: func(r host.Snapshot) { d.propose(ctx, r) },
	})
}

// serveCommands answers at the control socket.
func (d *Daemon) serveCommands(ctx context.Context, handlers report.Handlers) {
	l, err := report.Listen(d.options.Dirs.ControlSocket())
	if err == nil {
		err = report.Serve(ctx, l, handlers)
	}
	if ctx.Err() == nil {
		d.loop.log.WithError(err).Warn("`raynoded reload` does not reach this node: SIGHUP does")
	}
}

// propose hands a reading to the loop, and returns what came of it.
func (d *Daemon) propose(ctx context.Context, r host.Snapshot) report.Reloaded {
	file, err := r.Files.Load()
	p := proposal{Snapshot: r, role: file, err: err, answer: make(chan report.Reloaded, 1)}
	select {
	case d.loop.proposals <- p:
		return <-p.answer
	case <-ctx.Done():
		return report.Reloaded{}
	}
}
