package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Piece is something a test needs from the machine or from test/setup.
type Piece struct {
	check func(*Lab) error
}

// Ray is the venv with that Ray release; see [RayBin].
func Ray(version string) Piece {
	return Piece{func(l *Lab) error { return l.made("ray-"+version, "ray "+version) }}
}

// Root is the root file system with that Debian suite, and all that booting it takes.
func Root(suite string) Piece {
	return Piece{func(l *Lab) error {
		if strings.ContainsAny(l.Checkout, ",:\\ \t\n") {
			return fmt.Errorf("the path of the checkout, %q, cannot be an option of an overlay mount", l.Checkout)
		}
		return errors.Join(Namespaces().check(l), Program("systemd-nspawn").check(l), l.made("root-"+suite, "root "+suite))
	}}
}

// Namespaces is the right to make networks and hosts: root, the programs for
// it, and cgroup v2 with cgroup.kill (Linux 5.14).
func Namespaces() Piece {
	return Piece{func(l *Lab) error {
		if os.Geteuid() != 0 {
			return errors.New("network namespaces need root")
		}
		for _, name := range []string{"ip", "nsenter", "unshare", "mount"} {
			if err := Program(name).check(l); err != nil {
				return err
			}
		}
		_, err := cgroupMount()
		return err
	}}
}

// Program is a program on PATH.
func Program(name string) Piece {
	return Piece{func(*Lab) error {
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("no %s on PATH: run test/setup packages", name)
		}
		return nil
	}}
}

// Need skips the test unless every piece is there, and says what is missing.
func Need(t testing.TB, pieces ...Piece) {
	t.Helper()
	if err := missing(find(t), pieces); err != nil {
		t.Skip(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}

func missing(l *Lab, pieces []Piece) error {
	errs := make([]error, len(pieces))
	for i, p := range pieces {
		errs[i] = p.check(l)
	}
	return errors.Join(errs...)
}

// made says whether test/setup finished the piece, and if not, why or how.
func (l *Lab) made(name, arguments string) error {
	if _, err := os.Stat(l.piece(name + ".stamp")); err == nil {
		return nil
	}
	if reason, err := os.ReadFile(l.piece(name + ".skipped")); err == nil {
		return errors.New(strings.TrimSpace(string(reason)))
	}
	return fmt.Errorf("no .lab/%s: run test/setup %s", name, arguments)
}
