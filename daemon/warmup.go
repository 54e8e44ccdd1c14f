package daemon

import (
	"github.com/raynoded/raynoded/daemon/child"
)

// warmUp reads, once, the Python files that Ray's agents import, while this node waits anyway. A
// start then finds them in memory, and compiled where this user may write. The reading has the
// lowest priority, and goes on when the head is there.
func (l *life) warmUp() {
	path, args := l.install.WarmUp()
	if path == "" || *l.warmed == l.install {
		return
	}
	*l.warmed = l.install
	err := l.processes.startIdle(child.Command{Path: path, Args: args, Env: l.environment.Env(), Dir: "/"})
	if err != nil {
		l.log.WithError(err).Debug("cannot read beforehand what Ray imports")
	}
}
