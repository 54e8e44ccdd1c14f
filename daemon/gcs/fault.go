package gcs

import (
	"errors"
	"strconv"
)

// Fault says what an error of this package means.
type Fault int

// The faults. The zero Fault says nothing about the head.
const (
	// Unknown: the caller gave up, this host has a fault or a shortage, or the error is not from this
	// package.
	Unknown Fault = iota
	// Refused: the host answers that nothing listens there. With several addresses, all of them do.
	Refused
	// Unresolved: the name of the head gave no address.
	Unresolved
	// Silent: nothing came back from the host, or there is no route to it. With several addresses,
	// some were silent and none took a connection.
	Silent
	// Stuck: the host took the connection and confirmed what was sent, but no answer came before the
	// deadline.
	Stuck
	// Unauthorized: the token is missing or wrong.
	Unauthorized
	// NotRay: something answers, and it is no GCS. A connection that is closed before its first byte
	// counts as this, too. A GCS that is killed at that very moment looks the same, so ask again
	// before you believe it.
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

// FaultOf returns the fault of an error of Dial or of a Conn's method, wrapped or not. It is
// Unknown for nil.
func FaultOf(err error) Fault {
	var f *failure
	if errors.As(err, &f) {
		return f.fault
	}
	return Unknown
}

// failure is every error of this package, such as "cannot reach head gpu-001:6379: connection
// refused".
type failure struct {
	doing string
	why   string
	fault Fault
	err   error // the cause, for errors.Is and errors.As
}

func (f *failure) Error() string { return f.doing + ": " + f.why }

func (f *failure) Unwrap() error { return f.err }
