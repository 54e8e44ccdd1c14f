package host

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
)

// SessionOwner names whose Ray's sessions in a folder are. In our own folder there are no others;
// elsewhere there may be those of other users, and on a shared file system those of other hosts,
// whose programs we do not see.
func (d Dirs) SessionOwner(instance, folder string) string {
	if folder == d.Temp {
		return instance
	}
	return fmt.Sprintf("%s-%d-%s", instance, os.Geteuid(), hostID())
}

// hostID tells this host from others, and stays so over a reboot: by the host's name, as the
// machine id of a host that boots from the network may be another each time.
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
