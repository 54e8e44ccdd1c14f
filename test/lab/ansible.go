package lab

import "testing"

// Ansible returns a program of the venv with ansible-core and ansible-lint; the test is skipped
// where there is none.
func Ansible(t testing.TB, program string) string {
	t.Helper()
	Need(t, Piece{func(l *Lab) error { return l.made("ansible", "ansible") }})
	return find(t).piece("ansible/bin/" + program)
}

// Wheels returns the folder with what pip needs to install Ray 2.58.1 on a host of Debian bookworm;
// the test is skipped where there is none.
func Wheels(t testing.TB) string {
	t.Helper()
	Need(t, Piece{func(l *Lab) error { return l.made("wheels", "wheels") }})
	return find(t).piece("wheels")
}
