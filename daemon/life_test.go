package daemon

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/role"
)

// living is a life of a node that has joined, with no process in it.
func living(t *testing.T, r *role.Role) *life {
	d := daemonOf(r)
	d.beat, d.news, d.systemd = time.NewTicker(beat), make(chan news), &notify.Systemd{}
	t.Cleanup(d.beat.Stop)
	log := logrus.New()
	log.SetOutput(io.Discard)
	d.log, d.phase = log, Running
	return &life{Daemon: d, role: r, joined: true}
}

// Whatever Ray's failure is to be judged as, a node that was asked to stop says so.
func TestLife_Judged_Asked(t *testing.T) {
	job := newRole(role.Head)
	job.Job.Command = []string{"/bin/true"}
	for name, r := range map[string]*role.Role{"a worker": newRole(role.Worker), "a head": newRole(role.Head), "a head with a job": job} {
		t.Run(name, func(t *testing.T) {
			ctx, ask := context.WithCancelCause(t.Context())
			ask(ErrAsked)
			require.Equal(t, ErrAsked, living(t, r).judged(ctx, failed("the raylet ended")))
		})
	}
}

// A persistent head that takes connections and says nothing is asked for a while, and this node to stop meanwhile.
func TestLife_Judged_AskedMeanwhile(t *testing.T) {
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer mute.Close()
	ctx, ask := context.WithCancelCause(t.Context())
	go func() {
		if conn, err := mute.Accept(); err == nil {
			defer conn.Close()
			ask(ErrAsked)
			<-t.Context().Done()
		}
	}()
	r := newRole(role.Worker)
	r.Cluster.PersistentHead, r.Watchdog.Silent.Duration = true, time.Minute
	l := living(t, r)
	l.head.Address = mute.Addr().String()
	require.Equal(t, ErrAsked, l.judged(ctx, failed("the raylet ended")))
}

// Where the raylet is gone nothing runs that could be waited for.
func TestLife_Drain_NoRaylet(t *testing.T) {
	r := newRole(role.Worker)
	r.Stop.Drain.Duration = time.Hour
	l := living(t, r)
	l.brood.deaths = make(chan death, 1)
	raylet, _ := l.brood.take(process(1, "/v/raylet"))
	l.brood.deaths <- death{raylet, child.Exit{Known: true, Code: 3}}
	require.EqualError(t, l.until(t.Context(), l.tend), "raylet ended with exit code 3")
	require.NoError(t, l.drain(t.Context(), ErrAsked))
	require.Equal(t, Running, l.phase)
}
