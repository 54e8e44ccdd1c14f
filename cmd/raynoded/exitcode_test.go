package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	unfinished := reason.UnfinishedError{Err: &child.SurvivorsError{}}
	cases := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{reason.ErrAsked, 0},
		{reason.ErrDrained, 0},
		{&watchdog.LostError{Loss: watchdog.LossGone}, 0},
		{&reason.JobEnd{Code: 0}, 0},
		{&reason.JobEnd{Code: 68}, 68},
		{&reason.JobEnd{Code: 69}, 1},
		{&reason.JobEnd{Code: 79}, 1},
		{&reason.JobEnd{Code: 137}, 137},
		{errUsage, 64},
		{reason.ErrUnreachable, 69},
		{fmt.Errorf("%w: %w", reason.ErrUnreachable, &watchdog.LostError{}), 69},
		{reason.ErrRay, 70},
		{fmt.Errorf("%w: %w", reason.ErrRay, &watchdog.DisownedError{}), 70},
		{fmt.Errorf("%w: %w", reason.ErrRay, &watchdog.LostError{}), 70},
		{errors.New("a fault of raynoded itself"), 70},
		{reason.ErrHost, 71},
		{reason.ErrRayUnderJob, 72},
		{reason.ErrBusy, 73},
		{unfinished, 74},
		{errors.Join(reason.ErrAsked, unfinished), 74},
		{errors.Join(reason.ErrAsked, reason.UnfinishedError{Err: errors.New("too many open files")}), 74},
		{errors.Join(&reason.JobEnd{Code: 3}, unfinished), 74},
		{reason.ErrIncomplete, 75},
		{reason.ErrMismatch, 76},
		{reason.ErrToken, 77},
		{report.ErrNotRunning, 69},
		{reason.ErrRole, 78},
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
