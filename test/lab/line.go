package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Weather is what befalls the frames on a host's line.
type Weather struct {
	// Loss is the share of frames that get lost, each way, from 0 to 1. ARP is
	// spared: what is lost then is never only the way to a neighbour's address.
	Loss float64
	// Delay is for each frame, each way: an answer comes back 2 × Delay later
	// than it would on a good line. Frames stay in order.
	Delay time.Duration
	// Mute: nothing that the host sends arrives, ARP included. It hears on.
	Mute bool
	// Deaf: nothing arrives at the host, ARP included. It is heard on.
	Deaf bool
	// Seed is that of the losses; 0 = a new one, which is logged.
	Seed uint64
}

// Line makes the host's line a bad one, until the test ends or mend is called.
// It has one weather at a time: mend it before the next. Both ends have a
// carrier all the while, and [Node.Cut] works as always. A host that goes off
// comes back with a good line.
func (n *Node) Line(t testing.TB, w Weather) (mend func()) {
	t.Helper()
	if w.Seed == 0 {
		w.Seed = rand.Uint64()
	}
	t.Logf("line of %s: %+v", n.Name, w)
	l, err := n.spoil(w)
	require.NoError(t, err)
	mend = sync.OnceFunc(func() {
		require.NoError(t, l.mend())
		t.Logf("line of %s: %d of %d frames from it lost, %d of %d frames to it",
			n.Name, l.from.lost.Load(), l.from.came.Load(), l.to.lost.Load(), l.to.came.Load())
	})
	t.Cleanup(mend)
	return mend
}

// line is a cable that leads through this process: the host's port is not in
// lan but in a bridge of its own together with the tap near, and the tap far is
// in lan instead. (Kernels without sch_netem are common.)
type line struct {
	host      *Node
	near, far *os.File
	from, to  *way
	ended     chan struct{}
	running   sync.WaitGroup
}

func (n *Node) spoil(w Weather) (l *line, err error) {
	l = &line{host: n, ended: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.mend())
		}
	}()
	lan := n.network.switchName()
	if l.near, err = tap(lan, n.near()); err != nil {
		return l, err
	}
	if l.far, err = tap(lan, n.far()); err != nil {
		return l, err
	}
	l.from = &way{w: w, blocked: w.Mute, ended: l.ended, dice: rand.New(rand.NewPCG(w.Seed, 0))}
	l.to = &way{w: w, blocked: w.Deaf, ended: l.ended, dice: rand.New(rand.NewPCG(w.Seed, 1))}
	l.from.relay(&l.running, l.near, l.far)
	l.to.relay(&l.running, l.far, l.near)
	// The port last: what leaves lan takes along what lan has learnt about it.
	return l, run("ip", [][]string{
		{"-n", lan, "link", "add", n.bridge(), "type", "bridge"},
		{"-n", lan, "link", "set", n.bridge(), "up"},
		{"-n", lan, "link", "set", n.near(), "txqueuelen", waiting, "master", n.bridge(), "up"},
		{"-n", lan, "link", "set", n.far(), "txqueuelen", waiting, "master", "lan", "up"},
		{"-n", lan, "link", "set", n.port(), "master", n.bridge()},
	})
}

// mend takes the line out again. The taps go with their files.
func (l *line) mend() error {
	close(l.ended)
	for _, f := range []*os.File{l.near, l.far} {
		if f != nil {
			_ = f.Close()
		}
	}
	l.running.Wait()
	return errors.Join(l.host.straighten(), l.from.failure(), l.to.failure())
}

// straighten plugs the host's port into lan again, if there is one: a host that
// is off has none.
func (n *Node) straighten() error {
	lan := n.network.switchName()
	if ip("-n", lan, "link", "show", "dev", n.port()) == nil {
		if err := ip("-n", lan, "link", "set", n.port(), "master", "lan"); err != nil {
			return err
		}
	}
	if ip("-n", lan, "link", "show", "dev", n.bridge()) != nil {
		return nil
	}
	return ip("-n", lan, "link", "delete", n.bridge())
}

func (n *Node) bridge() string { return "line-" + n.Name }
func (n *Node) near() string   { return "near-" + n.Name }
func (n *Node) far() string    { return "far-" + n.Name }

// way is one direction of a line.
type way struct {
	w       Weather
	blocked bool
	ended   chan struct{}
	dice    *rand.Rand
	err     error // why it ended before the line did

	came, lost atomic.Int64
}

// under is a frame on its way.
type under struct {
	frame []byte
	due   time.Time
}

const (
	// backlog is how many frames may be on their way; what does not fit is
	// lost, as in the queue of a real line.
	backlog = 8192
	// waiting is how many may wait for this process to read them.
	waiting = "10000"
	// largest is more than a frame takes: what a host leaves to its card to cut
	// into frames, the kernel cuts before it goes into a tap.
	largest = 2048
)

// relay carries frames from one end to the other until the line ends.
func (w *way) relay(running *sync.WaitGroup, from, to *os.File) {
	queue := make(chan under, backlog)
	running.Go(func() {
		defer close(queue)
		w.err = w.receive(from, queue)
	})
	running.Go(func() { w.deliver(queue, to) })
}

func (w *way) receive(from *os.File, queue chan<- under) error {
	for buffer := make([]byte, largest); ; {
		n, err := from.Read(buffer)
		if err != nil {
			return err
		}
		w.came.Add(1)
		if w.loses(buffer[:n]) {
			w.lost.Add(1)
			continue
		}
		select {
		case queue <- under{append([]byte(nil), buffer[:n]...), time.Now().Add(w.w.Delay)}:
		default:
			w.lost.Add(1)
		}
	}
}

func (w *way) loses(frame []byte) bool {
	return w.blocked || w.dice.Float64() < w.w.Loss && !isARP(frame)
}

func isARP(frame []byte) bool {
	const etherType = 12 // two addresses come before it
	return len(frame) > etherType+1 && frame[etherType] == 0x08 && frame[etherType+1] == 0x06
}

func (w *way) deliver(queue <-chan under, to *os.File) {
	for u := range queue {
		select {
		case <-time.After(time.Until(u.due)):
		case <-w.ended:
			return
		}
		if _, err := to.Write(u.frame); err != nil {
			w.lost.Add(1)
		}
	}
}

func (w *way) failure() error {
	if w == nil || w.err == nil || errors.Is(w.err, os.ErrClosed) {
		return nil
	}
	return fmt.Errorf("a line ended by itself: %w", w.err)
}
