package watchdog

import (
	"errors"
	"fmt"
	"time"

	"github.com/raynoded/raynoded/daemon/reason"
)

// ErrDisowned is what every *DisownedError is.
var ErrDisowned = errors.New("the head says that this node is dead")

// Loss says in which way the head was lost.
type Loss string

// The ways in which the head is lost.
const (
	LossGone    Loss = "gone"
	LossSilent  Loss = "silent"
	LossStuck   Loss = "stuck"
	LossAnother Loss = "another"

	lossUnable Loss = "unable" // of an UnableError
)

func (w Loss) means() string {
	switch w {
	case LossGone:
		return "every connection refused"
	case LossSilent:
		return "nothing comes back"
	case LossStuck:
		return "reachable, but no answer"
	case LossAnother:
		return "another cluster answers in its place"
	case lossUnable:
	}
	return string(w)
}

// LostError says that the head is lost, as what, and after how long.
type LostError struct {
	Loss   Loss
	Lasted time.Duration // 0 for LossAnother, which needs no wait
	Err    error         // of the last probe
}

func (e *LostError) Error() string {
	text := fmt.Sprintf("%v: %s: %s", reason.ErrHeadLost, e.Loss, e.Loss.means())
	if e.Lasted > 0 {
		text += " for " + e.Lasted.Round(time.Millisecond).String()
	}
	return withReason(text, e.Err)
}

// Is makes errors.Is(err, reason.ErrHeadLost) true.
func (e *LostError) Is(target error) bool { return target == reason.ErrHeadLost }

// Unwrap returns the error of the last probe.
func (e *LostError) Unwrap() error { return e.Err }

// DisownedError says that the head answers, but holds this node for dead.
type DisownedError struct {
	Err error // of the probe
}

func (e *DisownedError) Error() string { return withReason(ErrDisowned.Error(), e.Err) }

// Is makes errors.Is(err, ErrDisowned) true.
func (e *DisownedError) Is(target error) bool { return target == ErrDisowned }

// Unwrap returns the error of the probe.
func (e *DisownedError) Unwrap() error { return e.Err }

// UnableError says that this host could not ask the head for too long, and had no stream from it.
// That is a failure of this host, and says nothing about the head.
type UnableError struct {
	Lasted time.Duration
	Err    error // of the last probe
}

func (e *UnableError) Error() string {
	return withReason("this host cannot ask the head for "+e.Lasted.Round(time.Millisecond).String(), e.Err)
}

// Unwrap returns the error of the last probe.
func (e *UnableError) Unwrap() error { return e.Err }

func withReason(text string, err error) string {
	if err == nil {
		return text
	}
	return text + ": " + err.Error()
}
