package gcs

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// The kernel notices that the host at the other end of a connection is dead. On an idle connection
// it does so by keepAliveProbes probes of TCP that nobody confirms. Unanswered data suspends these
// probes, so a limit of its own is set for that. The kernel counts in seconds, so minDeadTimeout is
// the least possible: one second, and one for each probe.
const (
	keepAliveProbes = 3
	minDeadTimeout  = (1 + keepAliveProbes) * time.Second
	maxDeadTimeout  = 25 * time.Second
)

// deadTimeout is how long a host may be dead before its connections end.
func (h Head) deadTimeout() time.Duration {
	if h.Silent == 0 {
		return maxDeadTimeout
	}
	return min(max(h.Silent.Truncate(time.Second), minDeadTimeout), maxDeadTimeout)
}

func (h Head) keepAlive() net.KeepAliveConfig {
	limit := h.deadTimeout()
	interval := max((limit / (keepAliveProbes + 2)).Truncate(time.Second), time.Second)
	return net.KeepAliveConfig{
		Enable: true, Idle: limit - keepAliveProbes*interval, Interval: interval, Count: keepAliveProbes,
	}
}

// setDeadTimeout makes the kernel end the connection when the host has been dead for that long.
func (w *wire) setDeadTimeout(h Head) error {
	if tcp, is := w.Conn.(*net.TCPConn); is {
		if err := tcp.SetKeepAliveConfig(h.keepAlive()); err != nil {
			return err
		}
	}
	return w.control(func(fd int) error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(h.deadTimeout().Milliseconds()))
	})
}
