package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// runJob runs the [job] once the cluster is complete. Its end is the end of the cluster. Without a
// job it never ends of itself.
func (l *life) runJob(ctx context.Context) error {
	if len(l.role().Job.Command) == 0 {
		return forever(ctx)
	}
	if err := l.complete(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	exited, err := l.startJob()
	if err != nil {
		return err
	}
	l.note(ctx, job, "job runs: "+l.role().Job.Command[0])
	select {
	case e := <-exited:
		return jobEnd(e)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// complete waits until the cluster has the nodes and GPUs that the job wants, in two looks: what
// the GCS lists, the raylets hear of a moment later (seen with Ray 2.60: a task bound to a node
// that had just been listed was refused).
func (l *life) complete(ctx context.Context) error {
	j := l.role().Job
	if l.role().Kind == role.Single {
		return nil
	}
	ctx, cancel := pause.Within(ctx, j.WaitTimeout.Duration)
	defer cancel()
	var have cluster.Totals
	before := false
	for {
		r := l.roles.now()
		want := r.WaitNodes()
		if all, err := l.member.Nodes(ctx); err == nil {
			have = cluster.Count(all)
			enough := have.Nodes >= want && have.GPUs >= float64(j.WaitGPUs)
			if enough && before {
				return nil
			}
			before = enough
			if !enough {
				l.note(ctx, job, "the job waits: "+have.OutOf(want, j.WaitGPUs))
			}
		}
		if over := r.pause(ctx, countInterval/2); over != nil {
			if errors.Is(over, pause.ErrTimeUp) {
				return fmt.Errorf(
					"%w within job.wait_timeout (%s): %s", reason.ErrIncomplete, j.WaitTimeout, have.OutOf(want, j.WaitGPUs),
				)
			}
			return over
		}
	}
}

// startJob starts the job where it finds the cluster. On a single host Ray starts inside it.
func (l *life) startJob() (<-chan child.Exit, error) {
	path, err := host.JobProgram(l.role().Job, l.jobEnv())
	if err != nil {
		return nil, err
	}
	j := l.role().Job
	p, exited, err := l.processes.startJob(child.Command{Path: path, Args: j.Command[1:], Env: l.jobEnv(), Dir: j.Dir})
	if err != nil {
		return nil, err
	}
	l.job = &p
	return exited, nil
}

func jobEnd(e child.Exit) error {
	end := &reason.JobEnd{Code: e.Code, Text: e.String()}
	switch {
	case !e.Known:
		end.Code = 1 // nobody may take it for a success
	case e.Signal != 0:
		end.Code = 128 + int(e.Signal)
	}
	return end
}
