package daemon

import (
	"context"
	"time"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/reason"
)

// startJob starts the program of the [job].
func (p *processes) startJob(c child.Command) (child.Process, <-chan child.Exit, error) {
	out, err := p.open(JobOutput)
	if err != nil {
		return child.Process{}, nil, reason.Unfit("job.command", "cannot open its output: %w", err)
	}
	defer out.Close()
	c.Stdout, c.Stderr = out, out
	job, err := p.tree.Start(c)
	if err != nil {
		return child.Process{}, nil, reason.Unfit("job.command", "%w", err)
	}
	p.record(job)
	return job, p.tree.Exited(job), nil
}

// startIdle starts a program of ours that has the lowest priority, and that nobody waits for.
func (p *processes) startIdle(c child.Command) error {
	c.Idle = true
	started, err := p.tree.Start(c)
	if err == nil {
		p.record(started)
	}
	return err
}

// stopJob ends the job with its process group. What is left of it is left for stop, which names it.
func (p *processes) stopJob(hurry context.Context, job child.Process, grace time.Duration) {
	_ = p.tree.StopGroup(hurry, job, grace)
}

// stop ends all processes of the life, in order.
func (p *processes) stop(hurry context.Context, grace time.Duration) error {
	spared, stages := p.stages()
	return p.tree.Stop(hurry, grace, spared, stages...)
}

// stages is the order of a stop: `ray start` if it still runs, so that nothing new comes; the
// raylet; the rest. The GCS hears the raylet's goodbye and is spared until then: asked to end, it
// waits for the workers of other hosts to hang up (Ray 2.60: 3.5 s and more), and it has nothing to
// save.
func (p *processes) stages() (spared child.Stage, stages []child.Stage) {
	if p.exit != nil {
		stages = append(stages, child.Stage{p.starter.PID})
	}
	if raylet, found := p.find("raylet"); found {
		stages = append(stages, child.Stage{raylet.PID})
	}
	if server, found := p.find("gcs_server"); found {
		spared = child.Stage{server.PID}
	}
	return spared, append(stages, child.Rest)
}
