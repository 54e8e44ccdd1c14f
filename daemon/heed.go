package daemon

import (
	"context"
	"sync"

	"github.com/raynoded/raynoded/daemon/filewatch"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
)

// proposal is a reading of the role's sources, for the loop to take or to refuse.
type proposal struct {
	sources
	role   *role.Role // nil if it is none, then err says why
	err    error
	answer chan report.Reloaded // has room
}

// heed brings to the loop what asks for a reload, one after the other: files that have changed, a
// command at the control socket, a SIGHUP. It returns when its context ends and all that it started
// has returned. It is no reason to end a node that one of the three does not work.
func (d *Daemon) heed(ctx context.Context) {
	var others sync.WaitGroup
	defer others.Wait()
	now := make(chan func(sources))
	ask := func(asking context.Context) (report.Reloaded, error) {
		answer := make(chan report.Reloaded, 1)
		select {
		case now <- func(s sources) { answer <- d.propose(ctx, s) }: // also if who asked has gone: it was read, and counts
			return <-answer, context.Cause(ctx)
		case <-asking.Done():
			return report.Reloaded{}, context.Cause(asking)
		}
	}
	others.Go(func() { d.answer(ctx, report.Desk{Reload: ask}) })
	others.Go(func() {
		for {
			select {
			case <-d.hangups:
				_, _ = ask(ctx) // what came of it is in the log
			case <-ctx.Done():
				return
			}
		}
	})
	kernel, err := filewatch.Open()
	if err != nil {
		d.log.WithError(err).Warn("an edit of the role file takes up to 30 s to be seen")
	} else {
		defer kernel.Close()
	}
	_ = filewatch.Watch(ctx, kernel, filewatch.Subject[sources]{
		Paths: d.watched, Look: d.read, Known: d.first, Now: now,
		Settled: func(s sources) { d.propose(ctx, s) },
	})
}

// answer answers at the control socket.
func (d *Daemon) answer(ctx context.Context, desk report.Desk) {
	l, err := report.Listen(d.place.ControlSocket())
	if err == nil {
		err = report.Serve(ctx, l, desk)
	}
	if ctx.Err() == nil {
		d.log.WithError(err).Warn("`raynoded reload` does not reach this node: SIGHUP does")
	}
}

// propose hands a reading to the loop, and returns what came of it.
func (d *Daemon) propose(ctx context.Context, s sources) report.Reloaded {
	r, err := s.files.Load()
	p := proposal{sources: s, role: r, err: err, answer: make(chan report.Reloaded, 1)}
	select {
	case d.proposals <- p:
		return <-p.answer
	case <-ctx.Done():
		return report.Reloaded{}
	}
}
