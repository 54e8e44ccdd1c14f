package reason

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOf_Exit(t *testing.T) {
	left := UnfinishedError{errors.New("process 12 cannot be killed")}
	cases := []struct {
		why  error
		want int
	}{
		{nil, 0},
		{ErrAsked, 0},
		{ErrDrained, 0},
		{ErrHeadLost, 0},
		{&JobEnd{Code: 0}, 0},
		{&JobEnd{Code: 68}, 68},
		{&JobEnd{Code: 69}, 1},
		{&JobEnd{Code: 79}, 1},
		{&JobEnd{Code: 137}, 137},
		{ErrUnreachable, 69},
		{ErrRay, 70},
		{fmt.Errorf("%w: %w", ErrRay, ErrHeadLost), 70},
		{Failed("the raylet ended"), 70},
		{errors.New("a fault of raynoded itself"), 70},
		{ErrHost, 71},
		{Unfit("ray.bin", "there is none"), 71},
		{ErrRayUnderJob, 72},
		{ErrBusy, 73},
		{left, 74},
		{errors.Join(ErrAsked, left), 74},
		{errors.Join(&JobEnd{Code: 3}, left), 74},
		{ErrIncomplete, 75},
		{ErrMismatch, 76},
		{ErrToken, 77},
		{ErrRole, 78},
	}
	for _, c := range cases {
		require.Equal(t, c.want, Of(c.why).Exit, "%v", c.why)
		if c.why != nil {
			require.Equal(t, c.want, Of(fmt.Errorf("wrapped: %w", c.why)).Exit, "%v", c.why)
		}
	}
}

func TestOf_InOrder(t *testing.T) {
	for _, why := range []error{nil, ErrAsked, ErrChanged, ErrDrained, ErrHeadLost, &JobEnd{Code: 0}} {
		require.True(t, Of(why).InOrder, "%v", why)
	}
	for _, why := range []error{ErrRay, ErrHost, ErrUnreachable, &JobEnd{Code: 3}, Failed("x"), errors.New("a fault")} {
		require.False(t, Of(why).InOrder, "%v", why)
	}
}

// A node on which something is left does nothing any more but end.
func TestOf_Unfinished(t *testing.T) {
	for _, why := range []error{ErrChanged, ErrHeadLost, ErrToken} {
		require.Equal(t, Meaning{Exit: ExitUnfinished}, Of(fmt.Errorf("%w; %w", why, UnfinishedError{errors.New("left")})))
	}
}
