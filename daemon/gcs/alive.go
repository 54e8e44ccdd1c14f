package gcs

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel notices that the host at the other end of a connection is dead: if
// the connection is idle, after deadProbes probes of TCP's that are not
// confirmed; if it has unanswered data, which suspends those probes, by a limit
// of its own. It counts in seconds, so deadSoonest is the least: one second, and
// one for each probe.
const (
	deadProbes  = 3
	deadSoonest = (1 + deadProbes) * time.Second
	deadTimeout = 25 * time.Second
)

// deadAfter is how long a host may be dead before its connections end.
func (h Head) deadAfter() time.Duration {
	if h.Silent == 0 {
		return deadTimeout
	}
	return min(max(h.Silent.Truncate(time.Second), deadSoonest), deadTimeout)
}

func (h Head) keepAlive() net.KeepAliveConfig {
	limit := h.deadAfter()
	interval := max((limit / (deadProbes + 2)).Truncate(time.Second), time.Second)
	return net.KeepAliveConfig{Enable: true, Idle: limit - deadProbes*interval, Interval: interval, Count: deadProbes}
}

// endWithHost has the kernel end the connection when the host is dead.
func (w *wire) endWithHost(h Head) error {
	if tcp, is := w.Conn.(*net.TCPConn); is {
		if err := tcp.SetKeepAliveConfig(h.keepAlive()); err != nil {
			return err
		}
	}
	return w.control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(h.deadAfter().Milliseconds()))
	})
}
