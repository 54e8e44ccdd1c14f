package daemon

import (
	"errors"
	"fmt"
	"time"
)

// Why a node ends. Run returns one of these, wrapped with what happened; the exit code is chosen from it in cmd/raynoded
// and nowhere else. watchdog.ErrHeadLost, *JobEnd, UnfinishedError and role.Problems are the others.
var (
	ErrAsked       = errors.New("asked to stop")                        // by a signal, or by systemd
	ErrUnreachable = errors.New("the head cannot be reached")           // within cluster.join_timeout
	ErrRay         = errors.New("Ray failed")                           // died, never came up, or was disowned by its GCS
	ErrRayUnderJob = errors.New("Ray failed under the job")             // the same, once workers can have come for the [job] of this head
	ErrDrained     = errors.New("the node was drained away by someone") // the raylet left in order, and the GCS knows why
	ErrHost        = errors.New("this host is not fit")                 // a program, folder, port or address the role needs
	ErrBusy        = errors.New("another raynoded runs this role")
	ErrIncomplete  = errors.New("the cluster is not complete") // within job.wait_timeout
	ErrMismatch    = errors.New("the head is not one this node may join")
	ErrToken       = errors.New("the token was refused")
	ErrRole        = errors.New("the role cannot be decided") // role = "auto" and a launcher's variable is missing
)

// JobEnd says how the [job] ended, which is the end of its cluster.
type JobEnd struct {
	Code int // the job's exit code; 128 + n if signal n ended it, 1 if nobody knows
	Text string
}

func (e *JobEnd) Error() string { return "the job ended: " + e.Text }

// UnfinishedError says why a stop cannot be sure that nothing is left: a process outlived SIGKILL, as a rule. Nothing of ours
// may start beside it.
type UnfinishedError struct{ Err error }

func (e UnfinishedError) Error() string { return e.Err.Error() }

// Unwrap returns what the stop said.
func (e UnfinishedError) Unwrap() error { return e.Err }

// since is how long ago a moment was, in whole seconds.
func since(t time.Time) time.Duration { return time.Since(t).Round(time.Second) }

func unfit(key string, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrHost, key, fmt.Errorf(format, args...))
}
