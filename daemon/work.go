package daemon

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/role"
)

// work runs the [job] once the cluster is complete. Its end is the end of the cluster. Without a
// job it never ends of itself.
func (l *life) work(ctx context.Context) error {
	if len(l.role.Job.Command) == 0 {
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
	l.tell(ctx, job, "job runs: "+l.role.Job.Command[0])
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
	j := l.role.Job
	if l.role.Kind == role.Single {
		return nil
	}
	ctx, cancel := within(ctx, j.WaitTimeout.Duration)
	defer cancel()
	var have Counted
	before := false
	for {
		r := l.now()
		want := r.WaitNodes()
		if all, err := l.nodes(ctx); err == nil {
			have = count(all)
			enough := have.Nodes >= want && have.GPUs >= float64(j.WaitGPUs)
			if enough && before {
				return nil
			}
			before = enough
			if !enough {
				l.tell(ctx, job, "the job waits: "+have.of(want, j.WaitGPUs))
			}
		}
		if over := r.pause(ctx, counting/2); over != nil {
			if errors.Is(over, errLimit) {
				return fmt.Errorf("%w within job.wait_timeout (%s): %s", ErrIncomplete, j.WaitTimeout, have.of(want, j.WaitGPUs))
			}
			return over
		}
	}
}

// startJob starts the job where it finds the cluster. On a single host Ray starts inside it.
func (l *life) startJob() (<-chan child.Exit, error) {
	out, err := l.output(JobOutput)
	if err != nil {
		return nil, fmt.Errorf("%w: job.command: cannot open its output: %w", ErrHost, err)
	}
	defer out.Close()
	path, err := l.jobProgram()
	if err != nil {
		return nil, err
	}
	j := l.role.Job
	p, err := l.tree.Start(
		child.Command{Path: path, Args: j.Command[1:], Env: l.jobEnv(), Dir: j.Dir, Stdout: out, Stderr: out},
	)
	if err != nil {
		return nil, unfit("job.command", "%w", err)
	}
	l.keep(p)
	l.job = &p
	return l.tree.Exited(p), nil
}

// jobEnv is where the job finds the cluster. On a single host there is none to find.
func (l *life) jobEnv() []string {
	env := l.environment.Env()
	if l.role.Kind == role.Single {
		return env
	}
	return append(env, l.node.Driver()...)
}

// jobProgram is the program of the job. The error says what is wrong with it and with the folder
// that it runs in.
func (l *life) jobProgram() (string, error) {
	j := l.role.Job
	path, err := find(j.Command[0], j.Dir, l.jobEnv())
	return path, errors.Join(enterable(j.Dir), err)
}

// enterable says whether a program can run in a folder; "" is where raynoded is.
func enterable(dir string) error {
	if dir == "" {
		return nil
	}
	if err := unix.Access(dir+"/.", unix.X_OK); err != nil {
		return unfit("job.dir", "cannot enter %s: %w: make the folder, let this user into it or name another", dir, err)
	}
	return nil
}

// find looks a program up as a shell in dir would, with the PATH of env.
func find(name, dir string, env []string) (string, error) {
	switch {
	case filepath.IsAbs(name):
		return name, executable(name)
	case strings.Contains(name, "/"):
		return name, executable(filepath.Join(dir, name))
	}
	for _, dir := range filepath.SplitList(lookup(env, "PATH")) {
		if path := filepath.Join(dir, name); executable(path) == nil {
			return path, nil
		}
	}
	return "", unfit("job.command", "there is no program %s in %s", name, lookup(env, "PATH"))
}

func executable(path string) error {
	if err := unix.Access(path, unix.X_OK); err != nil {
		return unfit("job.command", "cannot run %s: %w", path, err)
	}
	return nil
}

// lookup returns the last value of a variable, which is the one that counts; "" if it is not set.
func lookup(env []string, name string) string {
	for _, entry := range slices.Backward(env) {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}

func jobEnd(e child.Exit) error {
	end := &JobEnd{Code: e.Code, Text: e.String()}
	switch {
	case !e.Known:
		end.Code = 1 // nobody may take it for a success
	case e.Signal != 0:
		end.Code = 128 + int(e.Signal)
	}
	return end
}
