package daemon

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

func TestDaemon_GoesOn(t *testing.T) {
	lost := &watchdog.LostError{Word: watchdog.WordGone}
	cases := []struct {
		why          error
		worker, head bool // of a standing one; a per-job node never goes on
	}{
		{lost, true, false},
		{fmt.Errorf("%w: it went away while this node joined", ErrUnreachable), true, false},
		{ErrMismatch, true, true},
		{ErrToken, true, true},
		{ErrHost, true, true},
		{ErrAsked, false, false},
		{ErrDrained, false, false},
		{ErrRay, false, false},
		{fmt.Errorf("%w: %w", ErrRay, &watchdog.DisownedError{}), false, false},
		{ErrRayUnderJob, false, false},
		{ErrIncomplete, false, false},
		{&JobEnd{}, false, false},
		{errors.Join(lost, UnfinishedError{&child.SurvivorsError{}}), false, false},
		{fmt.Errorf("%w; %w", lost, UnfinishedError{errors.New("too many open files")}), false, false},
		{fmt.Errorf("%w; %w", errAnew, UnfinishedError{errors.New("too many open files")}), false, false},
	}
	for _, c := range cases {
		for kind, want := range map[role.Kind]bool{role.Worker: c.worker, role.Head: c.head} {
			r := newRole(kind)
			require.False(t, daemonOf(r).goesOn(c.why), "per-job %s: %v", kind, c.why)
			r.Watchdog.OnHeadLoss = role.Rejoin
			require.Equal(t, want, daemonOf(r).goesOn(c.why), "standing %s: %v", kind, c.why)
			left := daemonOf(r)
			left.leaving = true
			require.False(t, left.goesOn(c.why), "systemd has been told that it stops")
		}
	}
}

func TestInOrder(t *testing.T) {
	for _, why := range []error{ErrAsked, ErrDrained, &watchdog.LostError{}, &JobEnd{Code: 0}} {
		require.True(t, inOrder(why), "%v", why)
	}
	for _, why := range []error{ErrRay, ErrHost, ErrUnreachable, &JobEnd{Code: 3}} {
		require.False(t, inOrder(why), "%v", why)
	}
}

func daemonOf(r *role.Role) *Daemon {
	d := &Daemon{}
	d.use(r)
	return d
}
