package daemon

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

func TestLoop_GoesOn(t *testing.T) {
	lost := &watchdog.LostError{Loss: watchdog.LossGone}
	cases := []struct {
		why          error
		worker, head bool // of a standing one; a per-job node never goes on
	}{
		{lost, true, false},
		{fmt.Errorf("%w: it went away while this node joined", reason.ErrUnreachable), true, false},
		{reason.ErrMismatch, true, true},
		{reason.ErrToken, true, true},
		{reason.ErrHost, true, true},
		{reason.ErrAsked, false, false},
		{reason.ErrDrained, false, false},
		{reason.ErrRay, false, false},
		{fmt.Errorf("%w: %w", reason.ErrRay, &watchdog.DisownedError{}), false, false},
		{reason.ErrRayUnderJob, false, false},
		{reason.ErrIncomplete, false, false},
		{&reason.JobEnd{}, false, false},
		{errors.Join(lost, reason.UnfinishedError{Err: &child.SurvivorsError{}}), false, false},
		{fmt.Errorf("%w; %w", lost, reason.UnfinishedError{Err: errors.New("too many open files")}), false, false},
		{fmt.Errorf("%w; %w", reason.ErrChanged, reason.UnfinishedError{Err: errors.New("too many open " +
			"files")}), false, false},
	}
	for _, c := range cases {
		for kind, want := range map[role.Kind]bool{role.Worker: c.worker, role.Head: c.head} {
			r := newRole(kind)
			require.False(t, loopOf(r).goesOn(c.why), "per-job %s: %v", kind, c.why)
			r.Watchdog.OnHeadLoss = role.Rejoin
			require.Equal(t, want, loopOf(r).goesOn(c.why), "standing %s: %v", kind, c.why)
			left := loopOf(r)
			left.leaving = true
			require.False(t, left.goesOn(c.why), "systemd has been told that it stops")
		}
	}
}
