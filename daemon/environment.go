package daemon

import (
	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/role"
)

// resolveEnvironment reads what the environment of Ray and the job is made of, and makes what can
// be known of it before this node has an address.
func (l *life) resolveEnvironment() (err error) {
	l.sources, err = host.ReadSources(l.role(), l.dirs, l.env)
	l.environment = environ.Resolve(l.sources)
	return err
}

// finalizeEnvironment makes the environment for good, says what is odd about it, and writes down
// what goes by a file.
func (l *life) finalizeEnvironment() error {
	l.sources.Interface, l.sources.Address = host.InterfaceOf(l.node.IP), l.node.IP
	l.environment = environ.Resolve(l.sources)
	for _, text := range l.environment.Warnings {
		l.entry().Warn("environment: " + text)
	}
	for _, n := range l.environment.NotApplied {
		l.entry().Infof("environment: not applied: %s of %s: %s", n.Name, n.From, n.Why)
	}
	l.node.Digest = l.environment.Digest
	if err := l.dirs.WriteRayToken(l.token); err != nil {
		return err
	}
	return l.dirs.WriteNCCLConf(l.environment.NCCLConf())
}

// jobEnv is the environment of the job, and says where the cluster is. On a single host there is
// none.
func (l *life) jobEnv() []string {
	env := l.environment.JobEnv()
	if l.role().Kind == role.Single {
		return env
	}
	return append(env, l.node.DriverEnv()...)
}
