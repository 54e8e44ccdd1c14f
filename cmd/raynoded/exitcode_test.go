package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon"
	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	unfinished := daemon.UnfinishedError{Err: &child.SurvivorsError{}}
	cases := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{daemon.ErrAsked, 0},
		{daemon.ErrDrained, 0},
		{&watchdog.LostError{Word: watchdog.WordGone}, 0},
		{&daemon.JobEnd{Code: 0}, 0},
		{&daemon.JobEnd{Code: 68}, 68},
		{&daemon.JobEnd{Code: 69}, 1},
		{&daemon.JobEnd{Code: 79}, 1},
		{&daemon.JobEnd{Code: 137}, 137},
		{errUsage, 64},
		{daemon.ErrUnreachable, 69},
		{fmt.Errorf("%w: %w", daemon.ErrUnreachable, &watchdog.LostError{}), 69},
		{daemon.ErrRay, 70},
		{fmt.Errorf("%w: %w", daemon.ErrRay, &watchdog.DisownedError{}), 70},
		{fmt.Errorf("%w: %w", daemon.ErrRay, &watchdog.LostError{}), 70},
		{errors.New("a fault of raynoded itself"), 70},
		{daemon.ErrHost, 71},
		{daemon.ErrRayUnderJob, 72},
		{daemon.ErrBusy, 73},
		{unfinished, 74},
		{errors.Join(daemon.ErrAsked, unfinished), 74},
		{errors.Join(daemon.ErrAsked, daemon.UnfinishedError{Err: errors.New("too many open files")}), 74},
		{errors.Join(&daemon.JobEnd{Code: 3}, unfinished), 74},
		{daemon.ErrIncomplete, 75},
		{daemon.ErrMismatch, 76},
		{daemon.ErrToken, 77},
		{report.ErrNobody, 69},
		{daemon.ErrRole, 78},
		{role.Problems{}, 78},
		{role.ErrNoFile, 78},
	}
	for _, c := range cases {
		require.Equal(t, c.want, exitCode(c.err), "%v", c.err)
		if c.err != nil {
			require.Equal(t, c.want, exitCode(reported{fmt.Errorf("wrapped: %w", c.err)}), "%v", c.err)
		}
	}
}
