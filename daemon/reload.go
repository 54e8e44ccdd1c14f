package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
)

// errAnew ends a life that begins anew under the role file as it is now.
var errAnew = errors.New("the role file has changed")

// anew is the guard that ends a life when the loop says so.
func (d *Daemon) anew(ctx context.Context) error {
	select {
	case <-d.renewal:
		return errAnew
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// renew asks for the end of this life, if it goes on.
func (d *Daemon) renew() {
	select {
	case d.renewal <- struct{}{}:
	default:
	}
}

// reload takes or refuses a proposal, and tells everybody. systemd hears of it once the unit is
// started; before that and once it stops the word would mean something else.
func (d *Daemon) reload(p proposal) {
	if d.ready {
		d.told(d.systemd.Reloading("reloading: " + d.who()))
	}
	var r report.Reloaded
	if p.err != nil {
		r = d.refuse(p.err)
	} else {
		d.hear(news{refused, ""})
		r = d.take(p)
	}
	switch {
	case d.ready:
		d.told(d.systemd.Reloaded(d.status()))
	case d.usable(): // it has become a standing one
		d.notifyPhase(nil)
	}
	p.answer <- r
}

// most is how many complaints about one role file are logged.
const most = 10

// refuse leaves everything as it is, and complains until the files are mended.
func (d *Daemon) refuse(err error) report.Reloaded {
	var problems role.Problems
	if !errors.As(err, &problems) {
		problems = role.Problems{{File: d.path, Text: err.Error()}}
	}
	text := "the former role stays: " + problems[0].Text
	if problems[0].Line > 0 {
		text = "the former role stays: " + problems[0].String()
	}
	if more := len(problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	if d.notes[refused] != text {
		for _, p := range problems[1:min(len(problems), most)] {
			d.entry().Warn(p.String())
		}
	}
	d.hear(news{refused, text})
	return answered(nil, nil, nil, problems)
}

// take puts in force what is live, and sees to it that the rest is as well: at once where no Ray
// runs, by an end of this one if the role says so, else when the next one starts.
func (d *Daemon) take(p proposal) report.Reloaded {
	before := d.now()
	next := d.carry(p.role, before.Role)
	var live, rest []string
	for _, c := range role.Diff(before.Role, next) {
		if c.Live {
			live = append(live, c.Key)
		} else {
			rest = append(rest, c.Key)
		}
	}
	rest = append(rest, d.unsettled(p)...)
	d.file = p.role
	if len(live) > 0 {
		d.use(before.WithLive(next))
		d.relog(d.now().Log)
	}
	rest = append(rest, d.impatient()...)
	slices.Sort(rest)
	rest = slices.Compact(rest)

	r := answered(live, rest, nil, nil)
	switch {
	case len(rest) == 0:
	case d.phase == Waiting || d.phase == "":
		r = answered(append(live, rest...), nil, nil, nil)
		d.renew()
	case d.now().Reload.Restart == role.Always && !d.leaving:
		r = answered(live, nil, rest, nil)
		d.renew()
	}
	if len(r.Applied) > 0 {
		d.entry().Info("applied from the role file: " + strings.Join(r.Applied, ", "))
	}
	if len(r.Restarting) > 0 {
		d.entry().Warn("restarting Ray for " + strings.Join(r.Restarting, ", "))
	}
	text := ""
	if len(r.Pending) > 0 {
		text = "restart pending: " + strings.Join(r.Pending, ", ")
	}
	d.hear(news{pending, text})
	return r
}

// answered makes lists of nothing empty, which are no null in JSON.
func answered(applied, pending, restarting []string, problems role.Problems) report.Reloaded {
	list := func(keys []string) []string { return append([]string{}, keys...) }
	return report.Reloaded{
		Applied: list(
			applied,
		), Pending: list(pending), Restarting: list(restarting), Errors: append(role.Problems{}, problems...),
	}
}

// unsettled are keys that need a new Ray although they are live or the same: a named file holds
// something else, or the number of nodes makes another thing of an auto role.
func (d *Daemon) unsettled(p proposal) []string {
	keys := differing(d.prints, p.named)
	if was := d.decided; was != nil && p.role.Kind == role.Auto && was.Kind == role.Auto &&
		(was.Cluster.Nodes == 1) != (p.role.Cluster.Nodes == 1) {
		keys = append(keys, "cluster.nodes")
	}
	return keys
}

// impatient are the windows that have become longer than the Ray that runs was told to wait for its
// head: it would leave before raynoded does.
func (d *Daemon) impatient() []string {
	if d.running == nil || ray.Patience(d.now().Role) <= ray.Patience(d.running) {
		return nil
	}
	var keys []string
	for _, c := range role.Diff(d.running, d.now().Role) {
		if strings.HasPrefix(c.Key, "watchdog.") {
			keys = append(keys, c.Key)
		}
	}
	return keys
}
