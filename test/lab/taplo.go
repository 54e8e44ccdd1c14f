package lab

import "testing"

// Taplo returns the program that editors have look at TOML files; the test is skipped where there
// is none.
func Taplo(t testing.TB) string {
	t.Helper()
	Need(t, Piece{func(l *Lab) error { return l.made("taplo", "taplo") }})
	return find(t).piece("taplo/bin/taplo")
}
