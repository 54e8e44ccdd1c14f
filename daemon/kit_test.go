package daemon

import (
	"io"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

func newRole(kind role.Kind) *role.Role {
	r := &role.Role{Name: "role", Kind: kind}
	r.Cluster.Head = role.Address{Host: "gpu-001", Port: 6379}
	r.Cluster.JoinTimeout.Duration = 20 * time.Minute
	r.Watchdog.OnHeadLoss = role.Stop
	return r
}

func quiet() *logrus.Logger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

// loopOf is a node's loop under a role, which nobody beats for and which tells systemd nothing.
func loopOf(r *role.Role) *loop {
	return newLoop(newRoles(r), quiet(), nil, &notify.Systemd{})
}

// beating is a loopOf that can run guards.
func beating(t *testing.T, r *role.Role) *loop {
	t.Helper()
	l := loopOf(r)
	l.startBeat()
	t.Cleanup(l.beat.Stop)
	return l
}

// lifeOf is a life on a loopOf, with no process in it.
func lifeOf(r *role.Role) *life {
	return lifeOn(loopOf(r))
}

func lifeOn(l *loop) *life {
	return newLife(l, Options{Log: l.log, Tree: &child.Tree{}}, &ray.Install{})
}
