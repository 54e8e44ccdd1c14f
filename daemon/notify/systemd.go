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
	// systemd drops a datagram of more than 4096 bytes (PIPE_BUF) whole, READY=1
	// and all; one line of systemctl status wants far less.
	maxStatus = 1000

	// A PID 1 that has frozen reads no more; once the socket's queue is full a
	// write would block for ever, and the loop that watches the head with it.
	patience = time.Second
)

// Systemd is the service manager that started us. The zero value is none: every
// method does nothing and returns nil. Its methods may be called by several
// goroutines; each sends datagrams that are complete in themselves.
type Systemd struct {
	socket    string
	keepAlive time.Duration

	mu       sync.Mutex
	stopping bool
}

// New reads where the service manager listens from the environment (see
// sd_notify(3)); it is silent if there is none.
func New() *Systemd {
	watchdog, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		watchdog = 0 // systemd never sets what cannot be read
	}
	return &Systemd{socket: os.Getenv("NOTIFY_SOCKET"), keepAlive: watchdog / 2}
}

// KeepAliveEvery is how often KeepAlive is to be called: half of the unit's
// WatchdogSec=. 0 means that systemd does not wait for it.
func (s *Systemd) KeepAliveEvery() time.Duration { return s.keepAlive }

// Ready says that the unit is started. The status is one line for people, as in
// every other method: control characters become spaces, and what is longer than
// 1000 bytes is cut.
func (s *Systemd) Ready(status string) error {
	return s.send(sd.SdNotifyReady, statusLine(status))
}

// Reloading says that the unit reloads, once Ready was called. Reloaded must follow.
func (s *Systemd) Reloading(status string) error {
	if s.isStopping() {
		return nil
	}
	return s.send(sd.SdNotifyReloading, "MONOTONIC_USEC="+monotonic(), statusLine(status))
}

// Reloaded says that it is what it was before. After Stopping neither is said: the
// unit would count as started again.
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

// monotonic is the time of CLOCK_MONOTONIC in microseconds: systemd 253 and later
// tell by it that a RELOADING=1 answers their request and no earlier one.
func monotonic() string {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // fails for a wrong clock only
	return strconv.FormatInt(now.Nano()/1000, 10)
}

// Status says what we are doing.
func (s *Systemd) Status(status string) error { return s.send(statusLine(status)) }

// Stopping says that the unit is on its way down; from now on KeepAlive is
// silent, and the unit's TimeoutStopSec= runs.
func (s *Systemd) Stopping(status string) error {
	s.mu.Lock()
	s.stopping = true
	s.mu.Unlock()
	return s.send(sd.SdNotifyStopping, statusLine(status))
}

// ReadyStopping is for a stop that was asked for before Ready was called: to
// systemd an exit with 0 before READY=1 is a failure ("protocol"). It takes two
// datagrams: with both in one the unit still failed, on systemd 252 and 257.
func (s *Systemd) ReadyStopping(status string) error {
	if err := s.Ready(status); err != nil {
		return err
	}
	return s.Stopping(status)
}

// KeepAlive says that we are not stuck. After Stopping it says nothing: systemd
// would start to wait for the next one again, and fail the unit.
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
	if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
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
