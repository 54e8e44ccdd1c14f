package site

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// Datagram is what raynoded told its service manager.
type Datagram struct {
	At   time.Time
	Text string
}

// Status is the line for `systemctl status`; "" if the datagram has none.
func (d Datagram) Status() string {
	_, status, _ := strings.Cut(d.Text, "STATUS=")
	return status
}

// listen opens the socket of a service manager.
func (m *Member) listen(t *testing.T) *net.UnixConn {
	t.Helper()
	_ = os.Remove(m.Path("notify"))
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: m.Path("notify")})
	require.NoError(t, err)
	return socket
}

// hear takes what raynoded tells its service manager until the socket is closed.
func (r *Running) hear(socket *net.UnixConn) {
	for b := make([]byte, 4096); ; {
		n, err := socket.Read(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.heard = append(r.heard, Datagram{At: time.Now(), Text: string(b[:n])})
		r.mu.Unlock()
	}
}

// Hears waits for a datagram that has some text.
func (r *Running) Hears(t *testing.T, text string) Datagram {
	t.Helper()
	return r.HearsAfter(t, time.Time{}, text)
}

// HearsAfter waits for a datagram from after a moment that has some text.
func (r *Running) HearsAfter(t *testing.T, moment time.Time, text string) Datagram {
	t.Helper()
	var found Datagram
	lab.Until(t, lab.Patience, r.Name+" tells its manager "+text, func() bool {
		alive := r.Lives()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, d := range r.heard {
			if d.At.After(moment) && strings.Contains(d.Text, text) {
				found = d
				return true
			}
		}
		require.True(t, alive, "%s has ended without telling its manager %s", r.Name, text)
		return false
	})
	return found
}

// Ready waits until the node is in its cluster, and returns what said so.
func (r *Running) Ready(t *testing.T) Datagram {
	t.Helper()
	return r.Hears(t, "STATUS=running")
}

// Status is what the service manager was told last.
func (r *Running) Status() string {
	all := r.Statuses()
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1]
}

// Statuses are all that the service manager was told, in order.
func (r *Running) Statuses() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, d := range r.heard {
		if status := d.Status(); status != "" {
			all = append(all, status)
		}
	}
	return all
}

// Count is how many datagrams had some text.
func (r *Running) Count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, d := range r.heard {
		if strings.Contains(d.Text, text) {
			n++
		}
	}
	return n
}
