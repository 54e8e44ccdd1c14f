//go:build systemd

package lab_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// echo sends back each datagram, and counts them in the answer.
const echo = `python3 -u -c '
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24) # SO_RCVBUFFORCE: room for all, if this stands for a moment
s.bind(("", 5001))
print("listening")
n = 0
while True:
    data, who = s.recvfrom(2000)
    n += 1
    s.sendto(b"%s %d" % (data, n), who)
'`

// datagrams sends that many, one each millisecond, and prints how many reached
// the other side, how many came back, whether those came in order, and the
// shortest and the longest time in milliseconds between the two.
func datagrams(to string, count int) string {
	return fmt.Sprintf(`python3 -c '
import select, socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
s.connect((%q, 5001))
sent, back, there, times = {}, [], 0, []
count, end = %d, time.monotonic() + 3
while time.monotonic() < end and len(back) < count:
    if len(sent) < count:
        sent[len(sent)] = time.monotonic()
        s.send(b"%%d" %% (len(sent) - 1))
        end = time.monotonic() + 3
    if select.select([s], [], [], 0.001)[0]:
        number, there = map(int, s.recv(100).split())
        back.append(number)
        times.append(1000 * (time.monotonic() - sent[number]))
print(there, len(back), back == sorted(set(back)), int(min(times, default=0)), int(max(times, default=0)))
'`, to+".lab", count)
}

// requireFile proves that 20 MB arrive as they were sent.
func requireFile(t *testing.T, from, to *lab.Node) {
	t.Helper()
	const size = 20_000_000
	server := to.Start(t, "python3", "-u", "-c", `
import hashlib, socket
s = socket.create_server(("", 5002))
print("listening")
c, _ = s.accept()
h = hashlib.sha256()
while data := c.recv(1 << 20):
    h.update(data)
print(h.hexdigest())
`)
	lab.Until(t, 10*time.Second, to.Name+" listens", func() bool { return server.Output() == "listening\n" })
	sum := from.Sh(t, fmt.Sprintf(`python3 -c '
import hashlib, os, socket
data = os.urandom(%d)
with socket.create_connection((%q, 5002), timeout=60) as s:
    s.sendall(data)
print(hashlib.sha256(data).hexdigest())
'`, size, to.Name+".lab"))
	require.Zero(t, server.Wait(t, time.Minute))
	require.Equal(t, "listening\n"+sum+"\n", server.Output())
}

// TestLab_Line looks at a line in all weathers, with datagrams from one host to
// another and back.
func TestLab_Line(t *testing.T) {
	t.Run("hosts", func(t *testing.T) {
		network := lab.NewNetwork(t)
		a := lab.Netns(t, network, "a", "")
		b := lab.Netns(t, network, "b", "")
		server := b.Start(t, "sh", "-c", "exec "+echo)
		lab.Until(t, 10*time.Second, "b listens", func() bool { return server.Output() == "listening\n" })

		const count = 1000
		counted := 0 // by the server, over all
		for _, c := range []struct {
			name        string
			weather     lab.Weather
			there, back [2]float64 // the least and the most that arrive, of 1
			shortest    int        // round trip, in milliseconds
		}{
			{name: "good", there: [2]float64{1, 1}, back: [2]float64{1, 1}},
			// Six times the standard deviation to either side.
			{
				name: "loss", weather: lab.Weather{Loss: 0.2}, there: [2]float64{0.72, 0.88}, back: [2]float64{0.54, 0.74},
			},
			{
				name: "delay", weather: lab.Weather{Delay: 100 * time.Millisecond}, there: [2]float64{1, 1},
				back: [2]float64{1, 1}, shortest: 200,
			},
			{
				name: "both", weather: lab.Weather{Loss: 0.2, Delay: 250 * time.Millisecond}, there: [2]float64{0.72, 0.88},
				back: [2]float64{0.54, 0.74}, shortest: 500,
			},
			{name: "deaf", weather: lab.Weather{Deaf: true}, there: [2]float64{1, 1}, back: [2]float64{0, 0}},
			{name: "mute", weather: lab.Weather{Mute: true}, there: [2]float64{0, 0}, back: [2]float64{0, 0}},
		} {
			t.Run(c.name, func(t *testing.T) {
				mend := a.Line(t, c.weather)
				fields := strings.Fields(a.Sh(t, datagrams("b", count)))
				mend()
				t.Logf("there, back, in order, shortest, longest: %v", fields)
				// The good line that follows tells how many have arrived.
				total := number(t, strings.Fields(a.Sh(t, datagrams("b", 1)))[0])
				there, back := total-1-counted, number(t, fields[1])
				counted = total
				between(t, c.there, there, count)
				between(t, c.back, back, count)
				require.Equal(t, "True", fields[2])
				if back > 0 {
					require.GreaterOrEqual(t, number(t, fields[3]), c.shortest)
					require.Less(t, number(t, fields[3]), c.shortest+100)
				}
			})
		}

		// Whole files are sent in pieces that only the host's card cuts to size.
		t.Run("a file", func(t *testing.T) {
			mend := a.Line(t, lab.Weather{Loss: 0.01, Delay: time.Millisecond})
			requireFile(t, a, b)
			requireFile(t, b, a)
			mend()
			requireAnswer(t, a, b)
			requireAnswer(t, b, a)
		})
		t.Run("cut", func(t *testing.T) {
			mend := a.Line(t, lab.Weather{Delay: time.Millisecond})
			a.Cut(t, true)
			require.Contains(t, b.Run(t, ask("a")).Stderr, "Error: ")
			a.Cut(t, false)
			requireAnswer(t, a, b)
			mend()
			requireAnswer(t, b, a)
		})
	})
	requireNothingLeft(t)
}

func number(t *testing.T, text string) int {
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	return n
}

func between(t *testing.T, share [2]float64, n, of int) {
	t.Helper()
	require.GreaterOrEqual(t, float64(n), share[0]*float64(of))
	require.LessOrEqual(t, float64(n), share[1]*float64(of))
}
