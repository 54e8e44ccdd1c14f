package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
)

// proposal is a reading of the role's sources, for the loop to accept or to refuse.
type proposal struct {
	host.Snapshot
	role   *role.Role // nil if it is none, then err says why
	err    error
	answer chan report.Reloaded // has room
}

// restartRequested is the guard that ends a life when the loop wants another one to begin.
func (l *loop) restartRequested(ctx context.Context) error {
	select {
	case <-l.restart:
		return reason.ErrChanged
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// requestRestart asks for the end of this life, if it goes on.
func (l *loop) requestRestart() {
	select {
	case l.restart <- struct{}{}:
	default:
	}
}

// reload accepts or refuses a proposal, and tells everybody. systemd hears of it once the unit is
// started; before that and once it stops the word would mean something else.
func (l *loop) reload(p proposal) {
	if l.ready {
		l.notified(l.systemd.Reloading("reloading: " + l.who()))
	}
	var r report.Reloaded
	if p.err != nil {
		r = l.refuse(p.err)
	} else {
		l.take(note{refused, ""})
		r = l.accept(p)
	}
	switch {
	case l.ready:
		l.notified(l.systemd.Reloaded(l.status()))
	case l.usable(): // it has become a standing one
		l.notifyPhase(nil)
	}
	p.answer <- r
}

// maxLogged is how many complaints about one role file are logged.
const maxLogged = 10

// refuse leaves everything as it is, and complains until the files are mended.
func (l *loop) refuse(err error) report.Reloaded {
	var problems role.Problems
	if !errors.As(err, &problems) {
		problems = role.Problems{{File: l.roles.file.Files[0], Text: err.Error()}}
	}
	text := "the former role stays: " + problems[0].Text
	if problems[0].Line > 0 {
		text = "the former role stays: " + problems[0].String()
	}
	if more := len(problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	if l.notes[refused] != text {
		for _, p := range problems[1:min(len(problems), maxLogged)] {
			l.entry().Warn(p.String())
		}
	}
	l.take(note{refused, text})
	return answered(nil, nil, nil, problems)
}

// accept puts in force what is live, and sees to it that the rest is as well: at once where no Ray
// runs, by an end of this one if the role says so, else when the next one starts.
func (l *loop) accept(p proposal) report.Reloaded {
	live, rest := l.roles.accept(p)
	if len(live) > 0 {
		l.relog(l.roles.now().Log)
	}
	r := answered(live, rest, nil, nil)
	switch {
	case len(rest) == 0:
	case l.phase == Waiting || l.phase == "":
		r = answered(append(live, rest...), nil, nil, nil)
		l.requestRestart()
	case l.roles.now().Reload.Restart == role.Always && !l.leaving:
		r = answered(live, nil, rest, nil)
		l.requestRestart()
	}
	if len(r.Applied) > 0 {
		l.entry().Info("applied from the role file: " + strings.Join(r.Applied, ", "))
	}
	if len(r.Restarting) > 0 {
		l.entry().Warn("restarting Ray for " + strings.Join(r.Restarting, ", "))
	}
	text := ""
	if len(r.Pending) > 0 {
		text = "restart pending: " + strings.Join(r.Pending, ", ")
	}
	l.take(note{pending, text})
	return r
}

// answered makes lists of nothing empty, which are no null in JSON.
func answered(applied, pending, restarting []string, problems role.Problems) report.Reloaded {
	list := func(keys []string) []string { return append([]string{}, keys...) }
	return report.Reloaded{
		Applied: list(applied), Pending: list(pending), Restarting: list(restarting),
		Errors: append(role.Problems{}, problems...),
	}
}
