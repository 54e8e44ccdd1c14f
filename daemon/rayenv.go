package daemon

import (
	"strings"
)

// announce writes ray.env, by which other units and people's programs find the cluster: without it,
// a driver on this host starts a Ray of its own and nobody notices.
func (l *life) announce() error {
	text := "# Where the Ray cluster of raynoded's instance " + l.role.Name + " is. Gone when the node is not in it.\n" +
		strings.Join(l.node.Driver(), "\n") + "\n"
	if err := replace(l.place.EnvFile(), []byte(text)); err != nil {
		return unfit("the runtime folder", "cannot write ray.env: %w", err)
	}
	return nil
}

// withdraw takes ray.env away before the cluster goes.
func (l *life) withdraw() {
	if err := remove(l.place.EnvFile()); err != nil {
		l.log.WithError(err).Warn("cannot remove ray.env")
	}
}
