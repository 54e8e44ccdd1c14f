package reason

import "errors"

// The exit codes of `raynoded run`. units/raynoded.service restarts the daemon after 69, 70 and a
// death by a signal.
const (
	ExitOK          = 0
	ExitJobClash    = 1  // the job ended with 69 to 79, which mean something of ours
	ExitUnreachable = 69 // ErrUnreachable
	ExitRay         = 70 // ErrRay, or a fault in raynoded itself
	ExitHost        = 71 // ErrHost
	ExitRayUnderJob = 72 // ErrRayUnderJob
	ExitBusy        = 73 // ErrBusy
	ExitUnfinished  = 74 // UnfinishedError
	ExitIncomplete  = 75 // ErrIncomplete
	ExitMismatch    = 76 // ErrMismatch
	ExitToken       = 77 // ErrToken
	ExitRole        = 78 // ErrRole, or a bad role file

	exitLast = 79 // the last one that is kept for us
)

// Meaning is what a reason means to the node, to its unit and to people.
type Meaning struct {
	// Exit is the exit code of a process that ends for this reason.
	Exit int
	// InOrder: the end is nobody's fault, and no error in the log.
	InOrder bool
	// Wanted: somebody wanted this node to go, so a worker drains first.
	Wanted bool
	// HeadGone: there is no head (any more). A standing worker waits for the next one at once.
	HeadGone bool
	// Retried: a standing node tries again after a while, as it may be mended while it waits.
	Retried bool
	// Renewed: another life follows, under the role file as it is now.
	Renewed bool
	// Settled: to ask the head again would not change the answer.
	Settled bool
	// Ended: Ray, the job or the head has ended, which may never be said again: it counts more than
	// good news, or an edit, that was heard first.
	Ended bool
}

// meanings is the table. The first row that a reason matches is the one that counts.
var meanings = []struct {
	reason error
	Meaning
}{
	{ErrRole, Meaning{Exit: ExitRole, Settled: true}},
	{ErrAsked, Meaning{Exit: ExitOK, InOrder: true, Wanted: true}},
	{ErrChanged, Meaning{Exit: ExitRay, InOrder: true, Wanted: true, Renewed: true}},
	{ErrDrained, Meaning{Exit: ExitOK, InOrder: true}},
	{ErrUnreachable, Meaning{Exit: ExitUnreachable, HeadGone: true}},
	{ErrRayUnderJob, Meaning{Exit: ExitRayUnderJob}},
	{ErrRay, Meaning{Exit: ExitRay}},
	{ErrHeadLost, Meaning{Exit: ExitOK, InOrder: true, HeadGone: true, Ended: true}},
	{ErrHost, Meaning{Exit: ExitHost, Retried: true, Settled: true}},
	{ErrBusy, Meaning{Exit: ExitBusy}},
	{ErrIncomplete, Meaning{Exit: ExitIncomplete}},
	{ErrMismatch, Meaning{Exit: ExitMismatch, Retried: true, Settled: true}},
	{ErrToken, Meaning{Exit: ExitToken, Retried: true, Settled: true}},
}

// Of says what a reason means. What may be left on the host counts before why the node had to go.
// An error that is in no row is a fault in raynoded itself; nil is an end in order.
func Of(err error) Meaning {
	var unfinished UnfinishedError
	var job *JobEnd
	var failure Failure
	switch {
	case err == nil:
		return Meaning{Exit: ExitOK, InOrder: true}
	case errors.As(err, &unfinished):
		return Meaning{Exit: ExitUnfinished}
	case errors.As(err, &job):
		return Meaning{Exit: jobExit(job.Code), InOrder: job.Code == 0, Ended: true}
	case errors.As(err, &failure):
		return Meaning{Exit: ExitRay, Ended: true}
	}
	for _, m := range meanings {
		if errors.Is(err, m.reason) {
			return m.Meaning
		}
	}
	return Meaning{Exit: ExitRay}
}

// jobExit keeps a job from saying one of our own codes.
func jobExit(code int) int {
	if code >= ExitUnreachable && code <= exitLast {
		return ExitJobClash
	}
	return code
}
