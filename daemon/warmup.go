package daemon

import (
	"github.com/raynoded/raynoded/daemon/child"
)

// warmUp has all read, once, that Ray's agents import, while there is nothing else to do: a start
// finds it in memory, and compiled where this user may write. It has the lowest priority, and runs
// on when the head is there.
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
