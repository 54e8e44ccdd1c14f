package daemon

import (
	"errors"

	"github.com/raynoded/raynoded/daemon/reason"
)

// outweighs says whether what a guard said counts more than what another said before it: that Ray,
// the job or the head has ended, beside good news or an edit. It may never be said again. Anything
// else may only have been said because the guard was cut off.
func outweighs(err, first error) bool {
	switch {
	case first != nil && !errors.Is(first, reason.ErrChanged):
		return false
	case first == nil && errors.Is(err, reason.ErrMismatch): // `ray start` finds it after the GCS has listed the node
		return true
	default:
		return reason.Of(err).Ended
	}
}

// goesOn says whether a life that ended so is followed by another: one under a changed role file
// always is, that of a standing node unless it was asked to stop or its own Ray failed.
func (l *loop) goesOn(why error) bool {
	if l.leaving {
		return false
	}
	m, r := reason.Of(why), l.roles.now()
	return m.Renewed || r.Standing() && (m.Retried || m.HeadGone && r.isWorker())
}
