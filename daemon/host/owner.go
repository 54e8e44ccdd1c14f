package host

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// SessionOwner returns the name by which this instance owns Ray's sessions in a folder. In our own
// folder, all sessions are ours. Another folder may have sessions of other users and, on a shared
// file system, of other hosts, whose processes we cannot see.
func (d Dirs) SessionOwner(instance, folder string) string {
	if folder == d.Temp {
		return instance
	}
	return fmt.Sprintf("%s-%d-%s", instance, os.Geteuid(), hostID())
}

// hostID identifies this host and stays the same over a reboot. It comes from the host's name,
// because a host that boots from the network may have a new machine id each time.
func hostID() string {
	name, _ := os.Hostname()
	machine, _ := os.ReadFile("/etc/machine-id")
	return hostIDOf(name, strings.TrimSpace(string(machine)))
}

func hostIDOf(name, machine string) string {
	if first, _, _ := strings.Cut(name, "."); first == "" || first == "localhost" {
		name = machine
	}
	sum := sha256.Sum256([]byte("raynoded " + name)) // no machine id for everybody to read (machine-id(5))
	return fmt.Sprintf("%x", sum[:8])
}
