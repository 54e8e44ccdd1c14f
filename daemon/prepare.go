package daemon

import (
	"context"
	"errors"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// prepare checks what can be checked on this host alone, and lists everything that is wrong with it
// at once.
func (l *life) prepare(ctx context.Context) error {
	install, err := ray.Inspect(ctx, l.role().Ray.Bin, l.processes.output)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.install = install
	var tokenErr error
	l.token, tokenErr = host.ReadToken(l.role())
	l.member.Head.Token = l.token.Secret
	l.node = l.dirs.Node(l.role(), l.token.File)
	l.node.Version = install.Ray
	return errors.Join(
		l.installFits(install, err), tokenErr, l.dirs.MakeForRay(l.role()), l.resolveEnvironment(), l.jobFound(),
	)
}

// installFits returns what is wrong with the Ray of this host, which Inspect has returned with an
// error or not.
func (l *life) installFits(install ray.Install, err error) error {
	if err != nil {
		return reason.Unfit("ray.bin", "%w: install Ray there or name another program", err)
	}
	var problems []error
	if l.role().Auth.Mode == role.Token && !install.AtLeast(2, 52) {
		problems = append(problems, reason.Unfit(
			"auth.mode", `"token" needs Ray 2.52 or newer, %s is %s: upgrade Ray or say "none"`, install.Bin, install.Ray,
		))
	}
	if host.KeepsState(l.role()) && !install.KeepsState() {
		problems = append(problems, reason.Unfit(
			"cluster.persistent_head", "needs Ray 2.57 or newer, %s is %s: upgrade Ray or name a cluster.redis",
			install.Bin, install.Ray,
		))
	}
	return errors.Join(problems...)
}

// jobFound says early what would only be seen once the cluster is complete.
func (l *life) jobFound() error {
	if len(l.role().Job.Command) == 0 {
		return nil
	}
	_, err := host.JobProgram(l.role().Job, l.jobEnv())
	return err
}
