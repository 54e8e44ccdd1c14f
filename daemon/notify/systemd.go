package notify

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

const (
	// systemd drops a datagram of more than 4096 bytes (PIPE_BUF) as a whole, with READY=1 in it. One
	// line of systemctl status needs far less.
	maxStatus = 1000

	// sendLimit bounds a write. A PID 1 that has frozen does not read. Once the socket's queue is
	// full, a write would block for ever, and with it the loop that watches the head.
	sendLimit = time.Second
)

// Systemd is the service manager that started us. The zero value stands for none: every method
// does nothing and returns nil. Several goroutines may call its methods at once, as each datagram
// is complete in itself.
type Systemd struct {
	socket    string
	keepAlive time.Duration

	mu       sync.Mutex
	stopping bool
}

// New reads from the environment where the service manager listens (see sd_notify(3)). If there is
// none, the Systemd is silent.
func New() *Systemd {
	watchdog, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		watchdog = 0 // systemd never sets a value that cannot be read
	}
	return &Systemd{socket: os.Getenv("NOTIFY_SOCKET"), keepAlive: watchdog / 2}
}

// KeepAliveEvery is how often KeepAlive must be called: half of the unit's WatchdogSec=. 0 means
// that systemd expects no keep-alive.
func (s *Systemd) KeepAliveEvery() time.Duration { return s.keepAlive }

// Ready says that the unit is started. The status is one line for people, as in all other methods:
// control characters become spaces, and it is cut after 1000 bytes.
func (s *Systemd) Ready(status string) error {
	return s.send(sd.SdNotifyReady, statusLine(status))
}

// Reloading says that the unit reloads. Ready must have been called before, and Reloaded must
// follow.
func (s *Systemd) Reloading(status string) error {
	if s.isStopping() {
		return nil
	}
	return s.send(sd.SdNotifyReloading, "MONOTONIC_USEC="+monotonic(), statusLine(status))
}

// Reloaded says that the reload is over. After Stopping, neither is sent: the unit would count as
// started again.
func (s *Systemd) Reloaded(status string) error {
	if s.isStopping() {
		return nil
	}
	return s.Ready(status)
}

func (s *Systemd) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// monotonic is the time of CLOCK_MONOTONIC in microseconds. By it, systemd 253 and later know that
// a RELOADING=1 answers their latest request and not an earlier one.
func monotonic() string {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // fails only for a clock that does not exist
	return strconv.FormatInt(now.Nano()/1000, 10)
}

// Status says what we are doing.
func (s *Systemd) Status(status string) error { return s.send(statusLine(status)) }

// Stopping says that the unit is stopping. From now on KeepAlive is silent, and the unit's
// TimeoutStopSec= runs.
func (s *Systemd) Stopping(status string) error {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	return s.send(sd.SdNotifyStopping, statusLine(status))
}

// ReadyStopping is for a stop that was asked for before Ready was called. To systemd, an exit with
// 0 before READY=1 is a failure ("protocol"). It takes two datagrams: with both in one, the unit
// still failed (systemd 252 and 257).
func (s *Systemd) ReadyStopping(status string) error {
	if err := s.Ready(status); err != nil {
		return err
	}
	return s.Stopping(status)
}

// KeepAlive says that we are not stuck. After Stopping it sends nothing: systemd would begin to
// wait for the next one, and fail the unit.
func (s *Systemd) KeepAlive() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	return s.send(sd.SdNotifyWatchdog)
}

func (s *Systemd) send(lines ...string) error {
	if s.socket == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Net: "unixgram", Name: s.socket})
	if err != nil {
		return fmt.Errorf("cannot notify systemd: %w", err)
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(time.Now().Add(sendLimit)); err != nil {
		return fmt.Errorf("cannot notify systemd: %w", err)
	}
	if _, err := conn.Write([]byte(strings.Join(lines, "\n"))); err != nil {
		return fmt.Errorf("cannot notify systemd: %w", err)
	}
	return nil
}

func statusLine(status string) string {
	status = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(status, "?"))
	if len(status) > maxStatus {
		status = strings.ToValidUTF8(status[:maxStatus-len("…")], "") + "…"
	}
	return "STATUS=" + status
}
