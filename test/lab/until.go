package lab

import (
	"testing"
	"time"
)

// Until waits until done says true, asking every 20 ms, and fails the test
// after limit with "what" in the text. It returns the time that it took.
func Until(t testing.TB, limit time.Duration, what string, done func() bool) time.Duration {
	t.Helper()
	const pause = 20 * time.Millisecond
	for started := time.Now(); ; time.Sleep(pause) {
		if done() {
			return time.Since(started)
		}
		if time.Since(started) > limit {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
