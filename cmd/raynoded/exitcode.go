package main

import (
	"errors"
	"strings"

	"github.com/raynoded/raynoded/daemon"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

// The exit codes. units/raynoded.service restarts the daemon after 69, 70 and a death by a signal.
const (
	exitOK          = 0  // asked to stop; the head went away after this node had joined; drained away; the job ended well
	exitJobClash    = 1  // the job ended with 69 to 79, which mean something of ours
	exitDiffer      = 1  // env compared what should be the same, and it is not
	exitUsage       = 64 // wrong usage
	exitUnreachable = 69 // the head could not be reached within cluster.join_timeout
	exitRay         = 70 // Ray died or never came up, the node was disowned, or a fault in raynoded itself
	exitHost        = 71 // the host is not fit
	exitRayUnderJob = 72 // Ray died under a [job]
	exitBusy        = 73 // another raynoded runs this role
	exitSurvivors   = 74 // stopped, but something is left, or may be: a process could not be killed
	exitIncomplete  = 75 // the cluster was not complete in time
	exitMismatch    = 76 // another cluster than the pinned one, or another Ray or Python
	exitToken       = 77 // the token was refused
	exitRole        = 78 // bad role file
)

// errUsage says that the command line is wrong.
var errUsage = errors.New("wrong usage")

// reported wraps an error that the command has already told in its own way.
type reported struct{ error }

func (r reported) Unwrap() error { return r.error }

// exitCode is the one place where an exit code is chosen. What may be left counts before why it had
// to go.
func exitCode(err error) int {
	var (
		unfinished daemon.UnfinishedError
		problems   role.Problems
		job        *daemon.JobEnd
	)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &unfinished):
		return exitSurvivors
	case errors.As(err, &job):
		return jobCode(job.Code)
	case errors.Is(err, errDiffer):
		return exitDiffer
	case errors.Is(err, errUsage), unknownCommand(err):
		return exitUsage
	case errors.As(err, &problems), errors.Is(err, role.ErrNoFile), errors.Is(err, daemon.ErrRole):
		return exitRole
	}
	for _, end := range ends {
		if errors.Is(err, end.reason) {
			return end.code
		}
	}
	return exitRay
}

// ends are the reasons a node ends for, and what the process says of them.
var ends = []struct {
	reason error
	code   int
}{
	{daemon.ErrAsked, exitOK},
	{daemon.ErrDrained, exitOK},
	{daemon.ErrUnreachable, exitUnreachable},
	{daemon.ErrRayUnderJob, exitRayUnderJob},
	{daemon.ErrRay, exitRay},
	{watchdog.ErrHeadLost, exitOK},
	{daemon.ErrHost, exitHost},
	{daemon.ErrBusy, exitBusy},
	{daemon.ErrIncomplete, exitIncomplete},
	{daemon.ErrMismatch, exitMismatch},
	{daemon.ErrToken, exitToken},
	{report.ErrNobody, exitUnreachable},
}

func jobCode(code int) int {
	if code >= exitUnreachable && code <= 79 {
		return exitJobClash
	}
	return code
}

// unknownCommand recognises cobra's only complaint that does not pass through a function of ours.
func unknownCommand(err error) bool { return strings.HasPrefix(err.Error(), "unknown command") }
