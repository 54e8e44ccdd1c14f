package daemon

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// expect says under which role Ray is started now, and with that until when it must have come up.
func (p *processes) expect(r *role.Role) {
	p.instance, p.startTimeout = r.Name, r.Ray.StartTimeout
	p.deadline = time.Now().Add(p.startTimeout.Duration)
}

// late says whether Ray should have come up by now.
func (p *processes) late() bool { return time.Now().After(p.deadline) }

// startRay starts `ray start`. What it prints goes to a file: a child that holds a pipe would keep
// it open for as long as it lives.
func (p *processes) startRay(c child.Command) error {
	_ = os.Remove(p.dirs.StartLog()) // it may be another user's, whose words are not read
	log, err := os.Create(p.dirs.StartLog())
	if err != nil {
		return reason.Unfit("the state folder", "%w", err)
	}
	defer log.Close()
	c.Stdout, c.Stderr = log, log
	p.starter, err = p.tree.Start(c)
	if err != nil {
		return reason.Unfit("ray.bin", "%w", err)
	}
	p.record(p.starter)
	p.exit = p.tree.Exited(p.starter)
	p.members, p.dead, p.ended, p.headless = nil, nil, false, false // of a start before that failed
	p.rayletSeen, p.deaths = make(chan member, 1), make(chan death)
	return nil
}

// supervise looks after Ray's processes: it adopts what `ray start` starts, and returns when that
// or a vital one failed. Any other death makes the node degraded.
func (p *processes) supervise(ctx context.Context) error {
	late := time.After(time.Until(p.deadline))
	p.reportDegraded(ctx) // what the end of the phase before may have left unsaid
	for {
		var next <-chan time.Time
		if p.exit != nil {
			p.adopt(p.starter.PID)
			next = time.After(p.adoptInterval())
		}
		select {
		case <-next:
		case e := <-p.exit:
			p.adopt(os.Getpid())
			p.exit = nil
			if err := p.judgeStart(e); err != nil {
				return err
			}
		case d := <-p.deaths:
			if d.Vital {
				p.ended, p.headless = true, d.Name == "gcs_server"
				return d.failure()
			}
			p.dead = append(p.dead, d.String())
			p.reportDegraded(ctx)
		case <-late:
			if p.exit != nil {
				return reason.Failed(
					"`ray start` has not returned within ray.start_timeout (%s)%s", p.startTimeout,
					reason.Because(ray.OutputWords(p.dirs.StartLog())),
				)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// adoptInterval is between two looks at the children of `ray start`: nothing announces another's
// children. A look costs little, but not nothing where the kernel does not list children
// (CONFIG_PROC_CHILDREN): it is rarer once the raylet, which Ray starts last, has been seen.
func (p *processes) adoptInterval() time.Duration {
	if _, seen := p.find("raylet"); seen {
		return 500 * time.Millisecond
	}
	return 40 * time.Millisecond
}

// reportDegraded tells which programs have died that are not vital.
func (p *processes) reportDegraded(ctx context.Context) {
	p.note(ctx, degraded, strings.Join(p.dead, ", "))
}

// judgeStart looks at how `ray start` ended, and hands what it printed on.
func (p *processes) judgeStart(e child.Exit) error {
	p.passOn()
	log := p.dirs.StartLog()
	switch {
	case e.Known && e.Code == 0 && e.Signal == 0:
		if _, found := p.find("raylet"); !found {
			return reason.Failed("`ray start` returned, but started no raylet")
		}
		return nil
	case ray.VersionsDiffer(log):
		return fmt.Errorf(
			"%w: its Ray or Python version differs from this host's, says `ray start`", reason.ErrMismatch,
		)
	default:
		return reason.Failed(
			"`ray start` ended with %s%s (all it said is in %s)", e, reason.Because(ray.OutputWords(log)), log,
		)
	}
}

// The names under which children write: what `ray start` prints, and the [job].
const (
	RayOutput = "ray"
	JobOutput = "job"
)

// passOn gives the output of `ray start` to the journal or the terminal under its own name.
func (p *processes) passOn() {
	text, err := os.ReadFile(p.dirs.StartLog())
	if err != nil {
		return
	}
	out, err := p.open(RayOutput)
	if err != nil {
		p.log.WithError(err).Warn("cannot pass on what `ray start` printed")
		return
	}
	defer out.Close()
	_, _ = out.Write(text)
}
