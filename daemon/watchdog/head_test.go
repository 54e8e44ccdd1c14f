package watchdog

import (
	"context"
	"errors"
	"io"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// The state of the stream in a moment of a script.
const (
	open       = "open"
	down       = "down"
	notServing = "not serving"
)

// moment is what the head is like from at (since the start) on.
type moment struct {
	at      time.Duration
	stream  string
	verdict Verdict
}

// fakeHead lives a script. Times are those since it was made.
type fakeHead struct {
	start time.Time

	mu      sync.Mutex
	now     moment
	changed chan struct{}
	asked   int           // probes
	follows int           // streams
	first   time.Duration // the first probe since the last answer
}

func newFakeHead() *fakeHead {
	return &fakeHead{start: time.Now(), now: moment{0, open, Answered}, changed: make(chan struct{}), first: -1}
}

func (h *fakeHead) head() Head { return Head{Follow: h.follow, Probe: h.probe} }

// live plays the script; it ends early with ctx.
func (h *fakeHead) live(ctx context.Context, script []moment) {
	for _, m := range script {
		select {
		case <-time.After(time.Until(h.start.Add(m.at))):
		case <-ctx.Done():
			return
		}
		h.become(m)
	}
}

func (h *fakeHead) become(m moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = m
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *fakeHead) state() (string, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now.stream, h.changed
}

func (h *fakeHead) follow(ctx context.Context, serving func(bool)) error {
	h.mu.Lock()
	h.follows++
	h.mu.Unlock()
	last := ""
	for {
		stream, changed := h.state()
		if stream == down {
			return io.EOF
		}
		if stream != last {
			serving(stream == open)
			last = stream
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (h *fakeHead) probe(ctx context.Context) Answer {
	h.mu.Lock()
	h.asked++
	v := h.now.verdict
	if v == Answered {
		h.first = -1
	} else if h.first < 0 {
		h.first = time.Since(h.start)
	}
	h.mu.Unlock()
	switch v {
	case Answered:
		return Answer{Verdict: Answered}
	case Refused:
		return Answer{Refused, syscall.ECONNREFUSED}
	case Silent:
		<-ctx.Done()
		return Answer{Silent, errors.New("i/o timeout")}
	case Stuck:
		<-ctx.Done()
		return Answer{Stuck, errors.New("CheckAlive: deadline exceeded")}
	case Another:
		return Answer{Another, errors.New("its cluster id is bb, ours is aa")}
	case Unable:
		return Answer{Unable, syscall.EMFILE}
	case Disowned:
		return Answer{Disowned, errors.New("state DEAD, raylet alive")}
	}
	panic(v)
}

// defaults is the policy of a role file that says nothing.
func defaults() Policy {
	return Policy{Refused: 500 * time.Millisecond, Silent: 30 * time.Second, Stuck: time.Minute, Interval: 5 * time.Second}
}

// ending is how a Watch ended.
type ending struct {
	err    error
	after  time.Duration // since the first probe without an answer
	doubts []string
	asked  int
	follow int
}

var errTestOver = errors.New("test over")

// play watches the head of a script for so long.
func play(t *testing.T, limit time.Duration, p Policy, script []moment) (end ending) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), limit, errTestOver)
		defer cancel()
		h := newFakeHead()
		go h.live(ctx, script)
		synctest.Wait()
		end.err = Watch(ctx, fixedPolicy(p), h.head(), func(doubt string) { end.doubts = append(end.doubts, doubt) })
		end.after = time.Since(h.start) - h.first
		end.asked, end.follow = h.asked, h.follows
	})
	return end
}
