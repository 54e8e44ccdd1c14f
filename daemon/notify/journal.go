package notify

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/journal"
	"golang.org/x/sys/unix"
)

// Priority is a severity of syslog(3).
type Priority int

// The priorities that we use.
const (
	Critical Priority = 2
	Error    Priority = 3
	Warning  Priority = 4
	Notice   Priority = 5
	Info     Priority = 6
	Debug    Priority = 7
)

// UnderJournal says whether our stderr goes to the journal (JOURNAL_STREAM, see systemd.exec(5)).
// The journal then takes entries with fields, too.
func UnderJournal() bool {
	stream, err := journal.StderrIsJournalStream()
	return err == nil && stream
}

// Journal writes one entry. The names of the fields may be written as in a log line: "ray.pid"
// becomes RAY_PID. SYSLOG_IDENTIFIER is a field like any other. It blocks while journald is too
// busy to take the entry.
func Journal(p Priority, message string, fields map[string]string) error {
	named := make(map[string]string, len(fields))
	for name, value := range fields {
		if name := fieldName(name); name != "" {
			named[name] = value
		}
	}
	if err := journal.Send(message, journal.Priority(p), named); err != nil {
		return fmt.Errorf("cannot write to the journal: %w", err)
	}
	return nil
}

// fieldName turns a name into one that journald accepts: capitals, digits and _, no digit or _ in
// front, 64 bytes at most. It returns "" if nothing is left of the name.
func fieldName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, name)
	name = strings.TrimLeft(name, "_0123456789")
	return name[:min(len(name), 64)]
}

// JournalStream connects to journald for the output of a child, under an identifier of its own. p
// is the priority of lines that do not begin with one, as in <N>. The file is to be the child's
// stdout or stderr. What the child writes does not pass through us, and the stream outlives us.
func JournalStream(identifier string, p Priority) (*os.File, error) {
	return journalStream("/run/systemd/journal/stdout", identifier, p)
}

func journalStream(socket, identifier string, p Priority) (*os.File, error) {
	fd, err := dialJournal(socket, identifier, p)
	if err != nil {
		return nil, fmt.Errorf("cannot open a journal stream for %q: %w", identifier, err)
	}
	return os.NewFile(uintptr(fd), socket), nil
}

// dialJournal returns a blocking descriptor. That of a net.Conn does not block, so a Python
// program that prints to it fails when journald is slow.
func dialJournal(socket, identifier string, p Priority) (int, error) {
	if identifier == "" || strings.ContainsAny(identifier, "\x00\n") {
		return -1, errors.New("identifier: must be one line, not empty")
	}
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := sendHeader(fd, socket, identifier, p); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// sendHeader connects and sends the header: identifier, unit (journald knows it), priority,
// whether lines may begin with <N>, and three places to forward lines to, which are all off.
func sendHeader(fd int, socket, identifier string, p Priority) error {
	if err := sendTimeout(fd, sendLimit); err != nil { // for the connect, too
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
		return os.NewSyscallError("connect", err)
	}
	header := fmt.Sprintf("%s\n\n%d\n1\n0\n0\n0\n", identifier, p)
	if _, err := unix.Write(fd, []byte(header)); err != nil {
		return os.NewSyscallError("write", err)
	}
	if err := unix.Shutdown(fd, unix.SHUT_RD); err != nil {
		return os.NewSyscallError("shutdown", err)
	}
	return sendTimeout(fd, 0) // the child may wait as long as it takes
}

func sendTimeout(fd int, d time.Duration) error {
	t := unix.NsecToTimeval(int64(d))
	return os.NewSyscallError("setsockopt", unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &t))
}
