package lab

import (
	"testing"
	"time"
)

// Until waits until done says true, asking every 20 ms, and fails the test
// after limit with "what" in the text; on a busy machine the limit is longer.
// It returns the time that it took.
func Until(t testing.TB, limit time.Duration, what string, done func() bool) time.Duration {
	t.Helper()
	const pause = 20 * time.Millisecond
	started := time.Now()
	for wait := newPatience(limit); ; time.Sleep(pause) {
		if done() {
			return time.Since(started)
		}
		if wait.over() {
			t.Fatalf("not within %s, after %s: %s", limit, time.Since(started).Round(time.Second), what)
		}
	}
}
