package main

import (
	"errors"
	"strings"

	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/report"
	"github.com/raynoded/raynoded/daemon/role"
)

const (
	exitDiffer = 1  // env compared what should be the same, and it is not
	exitUsage  = 64 // wrong usage
)

// errUsage says that the command line is wrong.
var errUsage = errors.New("wrong usage")

// reported wraps an error that the command has already printed or logged.
type reported struct{ error }

func (r reported) Unwrap() error { return r.error }

// exitCode is the exit code of a command that ends with err. The codes for the reasons of a node
// are in daemon/reason; those of commands are here.
func exitCode(err error) int {
	var problems role.Problems
	switch {
	case errors.Is(err, errDiffer):
		return exitDiffer
	case err != nil && unknownCommand(err), errors.Is(err, errUsage):
		return exitUsage
	case errors.As(err, &problems), errors.Is(err, role.ErrNoFile):
		return reason.ExitRole
	case errors.Is(err, report.ErrNotRunning):
		return reason.ExitUnreachable
	default:
		return reason.Of(err).Exit
	}
}

// unknownCommand recognises cobra's only complaint that does not pass through a function of ours.
func unknownCommand(err error) bool { return strings.HasPrefix(err.Error(), "unknown command") }
