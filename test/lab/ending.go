package lab

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// holding is something that this process has on the machine and that outlives it.
type holding interface{ release() error }

// What a process holds is package state, as its signals are: Go ends it at Ctrl-C without running
// t.Cleanup, so one goroutine for all tests stands by.
var (
	// ending is locked for reading by what makes or releases a holding. From the signal on it is
	// locked for good: tests that go on meanwhile stop there, and the process cannot end early.
	ending  sync.RWMutex
	held    sync.Map // of holdings, as keys
	standBy = sync.OnceFunc(func() { go awaitEnd() })
)

// hold makes a holding that goes when this process is told to end.
func hold[H holding](take func() (H, error)) (H, error) {
	standBy()
	ending.RLock()
	defer ending.RUnlock()
	h, err := take()
	if err == nil {
		held.Store(h, nil)
	}
	return h, err
}

// drop releases a holding.
func drop(h holding) error {
	ending.RLock()
	defer ending.RUnlock()
	err := h.release()
	if err == nil {
		held.Delete(h)
	}
	return err
}

// unlessEnding makes something that a holding has to remove.
func unlessEnding(make func() error) error {
	ending.RLock()
	defer ending.RUnlock()
	return make()
}

// awaitEnd waits until this process is told to end, or the go test that has started it was killed.
func awaitEnd() {
	const look = 200 * time.Millisecond
	came := make(chan os.Signal, 1)
	signal.Notify(came, endSignals()...)
	gone := goTestGone()
	for tick := time.Tick(look); ; {
		select {
		case s := <-came:
			if s != syscall.SIGPIPE || nobodyReads() {
				end(s.(syscall.Signal))
			}
		case <-tick:
			if gone() {
				end(syscall.SIGTERM)
			}
		}
	}
}

// endSignals leaves out what a shell or nohup has this process ignore. SIGPIPE comes when a test
// prints after the end of go test, and would otherwise be the end of this process at once.
func endSignals() []os.Signal {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGPIPE}
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signals = append(signals, s)
		}
	}
	return signals
}

// nobodyReads says whether the other end of our output is closed. SIGPIPE also comes for sockets.
func nobodyReads() bool {
	fds := []unix.PollFd{{Fd: 1}, {Fd: 2}}
	_, err := unix.Poll(fds, 0)
	return err == nil && (fds[0].Revents|fds[1].Revents)&unix.POLLERR != 0
}

// goTestGone returns what says whether go test has died. A test binary that was started by a shell
// or by setsid may outlive those.
func goTestGone() func() bool {
	parent := os.Getppid()
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", parent))
	if strings.TrimSpace(string(name)) != "go" {
		return func() bool { return false }
	}
	return func() bool { return os.Getppid() != parent }
}

// end releases everything and ends this process by the signal. What it cannot release goes with the
// next holding of another process.
func end(s syscall.Signal) {
	ending.Lock()
	err := releaseAll()
	signal.Reset(s) // before a word: whoever reads may be gone
	fmt.Fprintf(os.Stderr, "lab: %s: cleaned up\n", s)
	if err != nil {
		fmt.Fprintf(os.Stderr, "lab: but for: %v\n", err)
	}
	_ = unix.Kill(os.Getpid(), s)
	os.Exit(128 + int(s)) // of a signal that did not end it
}

func releaseAll() error {
	const tries, pause = 5, 200 * time.Millisecond
	for n := 1; ; n++ {
		var errs error
		held.Range(func(h, _ any) bool {
			err := h.(holding).release()
			if err == nil {
				held.Delete(h)
			}
			errs = errors.Join(errs, err)
			return true
		})
		if errs == nil || n == tries {
			return errs
		}
		time.Sleep(pause) // a program of a test may just have entered what was to be removed
	}
}
