package daemon

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// A wait has one clock, that of the status line: it counts what was waited for before, the head's
// name or until an edit. The head is asked once in any case.
func TestDaemon_JoinTimeout(t *testing.T) {
	const noName = "gpu..invalid" // that DNS could not know, so nobody is asked for it
	for name, c := range map[string]struct {
		guard func(*life, context.Context) error
		err   string
	}{
		"deciding": {
			func(l *life, ctx context.Context) error {
				_, err := l.decide(ctx, l.role())
				return err
			},
			"cannot resolve the name " + noName,
		},
		"joining": {(*life).join, "cannot reach head " + noName + ":6379: lookup " + noName + ": no such host"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRole(role.Auto)
			r.Cluster.Head.Host = noName
			l := lifeOn(beating(t, r))
			l.enter(Waiting, nil)
			l.entered = l.entered.Add(-25 * time.Minute)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			err := l.until(ctx, func(ctx context.Context) error { return c.guard(l, ctx) })
			require.EqualError(t, err, "the head cannot be reached within cluster.join_timeout (20m0s): "+c.err)
			require.ErrorIs(t, err, reason.ErrUnreachable)
		})
	}
}

// A node that is asked to stop says so, also where join_timeout was over before its first question.
func TestLife_Join_Asked(t *testing.T) {
	ctx, ask := context.WithCancelCause(t.Context())
	head := mute(t, func() { ask(reason.ErrAsked) })
	r := newRole(role.Worker)
	r.Cluster.Head = role.Address{Host: head.IP.String(), Port: head.Port}
	l := lifeOf(r)
	l.entered = time.Now().Add(-25 * time.Minute)
	require.Equal(t, reason.ErrAsked, l.join(ctx))
}

// A Ray of this host that cannot say its version now is no reason to refuse the head for good.
func TestLife_Fits_CannotAsk(t *testing.T) {
	over, cancel := context.WithCancelCause(t.Context())
	cancel(pause.ErrTimeUp)
	bin := filepath.Join(t.TempDir(), "ray")
	for name, c := range map[string]struct {
		ctx context.Context
		err error
	}{
		"it takes too long": {over, pause.ErrTimeUp},
		"it does not start": {t.Context(), ray.ErrNotRay},
	} {
		t.Run(name, func(t *testing.T) {
			before := ray.Install{Bin: bin, Ray: "2.59.1", Python: "3.11.7"}
			l := lifeOf(newRole(role.Worker))
			l.install = before
			err := l.fits(c.ctx, gcs.Versions{Ray: "2.60.0", Python: "3.11.7"})
			require.ErrorIs(t, err, c.err)
			require.NotErrorIs(t, err, reason.ErrMismatch)
			require.ErrorContains(t, err, "cannot ask "+bin+" for its versions: ")
			require.Equal(t, before, l.install)
		})
	}
}
