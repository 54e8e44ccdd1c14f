// Package reason holds why a node ends, and what each reason means.
//
// A reason is an error that walks up one call stack, wrapped with what happened. What it means is
// one row of the table in meaning.go: whether it is in order, whether it is the head's, whether a
// node tries again, and which exit code `raynoded run` ends with. A new reason is a new error here
// and a new row there.
package reason

import (
	"errors"
	"fmt"
)

// Why a node ends, or why a command that asks on its behalf does.
var (
	// ErrAsked: a signal or systemd asked it to stop.
	ErrAsked = errors.New("asked to stop")
	// ErrChanged: the role file has changed, and another life is to begin under it.
	ErrChanged = errors.New("the role file has changed")
	// ErrHeadLost: the head of the cluster is gone. Every *watchdog.LostError is this.
	ErrHeadLost = errors.New("head lost")
	// ErrUnreachable: the head did not answer within cluster.join_timeout.
	ErrUnreachable = errors.New("the head cannot be reached")
	// ErrRay: Ray died, never came up, or was disowned by its GCS.
	ErrRay = errors.New("Ray failed")
	// ErrRayUnderJob is ErrRay once workers can have come for the [job] of this head.
	ErrRayUnderJob = errors.New("Ray failed under the job")
	// ErrDrained: the raylet left in order, and the GCS knows why.
	ErrDrained = errors.New("the node was drained away by someone")
	// ErrHost: a program, folder, port or address that the role needs is not there. See Unfit.
	ErrHost = errors.New("this host is not fit")
	// ErrBusy: another process holds the lock in the state folder.
	ErrBusy = errors.New("another raynoded runs this role")
	// ErrIncomplete: the cluster had too few nodes within job.wait_timeout.
	ErrIncomplete = errors.New("the cluster is not complete")
	// ErrMismatch: the head has another cluster id, another Ray or another Python.
	ErrMismatch = errors.New("the head is not one this node may join")
	// ErrToken: the GCS refused the token.
	ErrToken = errors.New("the token was refused")
	// ErrRole: role = "auto", and a launcher's variable is missing or makes no sense.
	ErrRole = errors.New("the role cannot be decided")
)

// Failure is a failure of Ray on this host before it is judged: a lost head may be its cause.
type Failure struct{ Err error }

func (f Failure) Error() string { return f.Err.Error() }

// Unwrap returns what happened.
func (f Failure) Unwrap() error { return f.Err }

// Failed makes a Failure.
func Failed(format string, args ...any) error { return Failure{fmt.Errorf(format, args...)} }

// ErrSignalled is the cause of a Failure where somebody else has stopped Ray, as `ray stop` does
// with every Ray of a host.
var ErrSignalled = errors.New("it got a SIGTERM that raynoded did not send: did somebody run `ray stop`?")

// JobEnd says how the [job] ended, which is the end of its cluster.
type JobEnd struct {
	Code int // the job's exit code; 128 + n if signal n ended it, 1 if nobody knows
	Text string
}

func (e *JobEnd) Error() string { return "the job ended: " + e.Text }

// UnfinishedError says why a stop cannot be sure that nothing is left: a process outlived SIGKILL,
// as a rule. Nothing of ours may start beside it.
type UnfinishedError struct{ Err error }

func (e UnfinishedError) Error() string { return e.Err.Error() }

// Unwrap returns what the stop said.
func (e UnfinishedError) Unwrap() error { return e.Err }

// Unfit is an ErrHost about a key of the role file, or about a thing that has no key.
func Unfit(key string, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrHost, key, fmt.Errorf(format, args...))
}

// Because puts words behind a sentence: ": words", or nothing where there are none.
func Because(words string) string {
	if words == "" {
		return ""
	}
	return ": " + words
}
