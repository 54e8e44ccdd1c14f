package gcs

import (
	"errors"
	"strconv"
)

// Fault is how an error of this package is to be read.
type Fault int

// The faults. The zero Fault says nothing about the head.
const (
	// Unknown: the caller gave up, a mistake or a shortage on this host, or an
	// error that is not from this package.
	Unknown Fault = iota
	// Refused: the host answers that nothing listens there; with several
	// addresses, all of them.
	Refused
	// Unresolved: the name of the head gave no address.
	Unresolved
	// Silent: nothing came back from the host, or no way leads there. With
	// several addresses: some were silent and none could be connected to.
	Silent
	// Stuck: the host took the connection and confirmed what was sent, but no
	// answer came before the deadline.
	Stuck
	// Unauthorized: the token is missing or wrong.
	Unauthorized
	// NotRay: something answers, and it is no GCS. A connection closed before
	// its first byte is read so too, and a GCS that is killed in that very
	// moment looks the same: ask again before believing it.
	NotRay
	// Broken: the connection was fine and has ended.
	Broken
	// Rejected: the GCS answered with an error of its own.
	Rejected
)

// String gives the fault in words for people.
func (f Fault) String() string {
	switch f {
	case Unknown:
		return "unknown fault"
	case Refused:
		return "connection refused"
	case Unresolved:
		return "name not resolved"
	case Silent:
		return "no answer from the host"
	case Stuck:
		return "connected, but no answer"
	case Unauthorized:
		return "token missing or wrong"
	case NotRay:
		return "answers, but is no Ray head"
	case Broken:
		return "connection lost"
	case Rejected:
		return "answered with an error"
	}
	return "fault " + strconv.Itoa(int(f))
}

// FaultOf reads an error of Dial or of a Conn's method, wrapped or not. It is
// Unknown for nil.
func FaultOf(err error) Fault {
	var f *failure
	if errors.As(err, &f) {
		return f.fault
	}
	return Unknown
}

// failure is every error of this package: "cannot reach head gpu-001:6379:
// connection refused".
type failure struct {
	doing string
	why   string
	fault Fault
	err   error // what it was made of, for errors.Is and errors.As
}

func (f *failure) Error() string { return f.doing + ": " + f.why }

func (f *failure) Unwrap() error { return f.err }
