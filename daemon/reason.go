package daemon

import (
	"errors"
	"fmt"
	"time"
)

// Why a node ends. Run returns one of these, wrapped with what happened; the exit code is chosen
// from it in cmd/raynoded and nowhere else. watchdog.ErrHeadLost, *JobEnd, UnfinishedError and
// role.Problems are the others.
var (
	// ErrAsked: by a signal, or by systemd.
	ErrAsked = errors.New("asked to stop")
	// ErrUnreachable: within cluster.join_timeout.
	ErrUnreachable = errors.New("the head cannot be reached")
	// ErrRay: it died, never came up, or was disowned by its GCS.
	ErrRay = errors.New("Ray failed")
	// ErrRayUnderJob is the same, once workers can have come for the [job] of this head.
	ErrRayUnderJob = errors.New("Ray failed under the job")
	// ErrDrained: the raylet left in order, and the GCS knows why.
	ErrDrained = errors.New("the node was drained away by someone")
	// ErrHost: a program, folder, port or address that the role needs.
	ErrHost = errors.New("this host is not fit")
	// ErrBusy: the lock in the state folder is held.
	ErrBusy = errors.New("another raynoded runs this role")
	// ErrIncomplete: within job.wait_timeout.
	ErrIncomplete = errors.New("the cluster is not complete")
	// ErrMismatch: another cluster id, Ray or Python.
	ErrMismatch = errors.New("the head is not one this node may join")
	// ErrToken: by the GCS.
	ErrToken = errors.New("the token was refused")
	// ErrRole: role = "auto" and a launcher's variable is missing.
	ErrRole = errors.New("the role cannot be decided")
)

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

// since is how long ago a moment was, in whole seconds.
func since(t time.Time) time.Duration { return time.Since(t).Round(time.Second) }

func unfit(key string, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %w", ErrHost, key, fmt.Errorf(format, args...))
}
