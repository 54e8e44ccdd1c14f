package gcs

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// wire is the TCP connection under a Conn. It remembers what gRPC keeps to
// itself: the first bytes that came, and the error that ended it.
type wire struct {
	net.Conn // not *net.TCPConn: gRPC would read its descriptor past Read

	mu    sync.Mutex
	first []byte
	ended error
	given bool
}

// errOver is for whoever asks for the connection a second time.
var errOver = errors.New("connection closed")

const closesAtOnce = "closed the connection without a word"

// hand gives the connection to gRPC, once.
func (w *wire) hand() (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.given {
		if w.ended == nil {
			w.ended = errOver
		}
		return nil, errOver
	}
	w.given = true
	return w, nil
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	w.note(p[:n], err)
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	w.note(nil, err)
	return n, err
}

func (w *wire) note(got []byte, err error) {
	const enough = 24
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := enough - len(w.first); room > 0 {
		w.first = append(w.first, got[:min(room, len(got))]...)
	}
	if err != nil && w.ended == nil {
		w.ended = err
	}
}

// end is what ended the connection, nil while it lasts.
func (w *wire) end() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// foreign says what the other side did that is not HTTP/2, which begins with a
// SETTINGS frame. It is "" for HTTP/2, and while nothing has happened.
func (w *wire) foreign() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	const header = 9 // three bytes of length, then type, flags and stream
	switch {
	case len(w.first) == 0 && w.ended == nil:
		return ""
	case len(w.first) == 0:
		return closesAtOnce
	case len(w.first) >= header && bytes.Equal(w.first[3:header], []byte{4, 0, 0, 0, 0, 0}):
		return ""
	}
	return fmt.Sprintf("said %+q", w.first)
}

// unconfirmed reports whether this kernel sends again what the other one has not
// confirmed in time (at least 200 ms). It tells a host that is gone from a GCS
// that does not answer. Data merely on its way does not count: to give up a call
// sends some.
func (w *wire) unconfirmed() bool {
	again := false
	err := w.control(func(fd int) error {
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		again = err == nil && info.Retransmits > 0
		return err
	})
	return err == nil && again
}

func (w *wire) control(f func(fd int) error) error {
	raw, err := w.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := raw.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		return err
	}
	return ferr
}
