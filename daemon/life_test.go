package daemon

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// living is a life of a node that has joined, with no process in it.
func living(t *testing.T, r *role.Role) *life {
	t.Helper()
	l := lifeOn(beating(t, r))
	l.phase, l.joined = Running, true
	return l
}

// mute is a head that takes a connection, does something then, and says nothing.
func mute(t *testing.T, then func()) *net.TCPAddr {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		if conn, err := l.Accept(); err == nil {
			defer conn.Close()
			then()
			<-t.Context().Done()
		}
	}()
	return l.Addr().(*net.TCPAddr)
}

// Whatever Ray's failure is to be judged as, a node that was asked to stop says so.
func TestLife_Judged_Asked(t *testing.T) {
	job := newRole(role.Head)
	job.Job.Command = []string{"/bin/true"}
	for name, r := range map[string]*role.Role{
		"a worker": newRole(role.Worker), "a head": newRole(role.Head), "a head with a job": job,
	} {
		t.Run(name, func(t *testing.T) {
			ctx, ask := context.WithCancelCause(t.Context())
			ask(reason.ErrAsked)
			require.Equal(t, reason.ErrAsked, living(t, r).judge(ctx, reason.Failed("the raylet ended")))
		})
	}
}

// A persistent head that takes connections and says nothing is asked for a while, and this node to
// stop meanwhile.
func TestLife_Judged_AskedMeanwhile(t *testing.T) {
	ctx, ask := context.WithCancelCause(t.Context())
	head := mute(t, func() { ask(reason.ErrAsked) })
	r := newRole(role.Worker)
	r.Cluster.PersistentHead, r.Watchdog.Silent.Duration = true, time.Minute
	l := living(t, r)
	l.member.Head.Address = head.String()
	require.Equal(t, reason.ErrAsked, l.judge(ctx, reason.Failed("the raylet ended")))
}

// Where the raylet is gone nothing runs that could be waited for.
func TestLife_Drain_NoRaylet(t *testing.T) {
	r := newRole(role.Worker)
	r.Stop.Drain.Duration = time.Hour
	l := living(t, r)
	l.processes.deaths = make(chan death, 1)
	l.processes.deadline = time.Now().Add(time.Hour)
	raylet, _ := l.processes.take(process(1, "/v/raylet"))
	l.processes.deaths <- death{raylet, child.Exit{Known: true, Code: 3}}
	require.EqualError(t, l.until(t.Context(), l.processes.supervise), "raylet ended with exit code 3")
	require.NoError(t, l.drain(t.Context(), reason.ErrAsked))
	require.Equal(t, Running, l.phase)
}
