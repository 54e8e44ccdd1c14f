package daemon

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/raynoded/raynoded/daemon/ray"
)

// owner names whose Ray's sessions in a folder are. In our own folder there are no others; elsewhere there may be those of
// other users, and on a shared file system those of other hosts, whose programs we do not see.
func (l *life) owner(folder string) string {
	if folder == l.place.Temp {
		return l.role.Name
	}
	return fmt.Sprintf("%s-%d-%s", l.role.Name, os.Geteuid(), hostID())
}

// hostID tells this host from others. It is not the machine id itself, which is not for everybody (machine-id(5)).
func hostID() string {
	id, _ := os.ReadFile("/etc/machine-id")
	return hostIDOf(strings.TrimSpace(string(id)), bootID())
}

func hostIDOf(machine, boot string) string {
	if len(machine) != 32 { // an image's may be empty, or "uninitialized"
		machine = boot
	}
	sum := sha256.Sum256([]byte("raynoded " + machine))
	return fmt.Sprintf("%x", sum[:8])
}

// claim marks the session of one of Ray's programs as this node's.
func (l *life) claim(p ray.Program) (ray.Session, error) {
	s := ray.SessionOf(p)
	if s == (ray.Session{}) {
		return s, nil
	}
	return s, s.Claim(l.owner(filepath.Dir(s.Dir)))
}
