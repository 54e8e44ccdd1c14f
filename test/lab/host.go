package lab

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// HostOptions says which host to boot.
type HostOptions struct {
	// Name is at most 12 letters and digits.
	Name string
	// Root is the Debian suite: "bookworm" (systemd 252) or "trixie" (257).
	Root string
	// Net is the network to plug it into.
	Net *Network
	// Address is on 10.77.0.0/24; empty means the next free one.
	Address string
}

// Host is a node with a booted systemd and a file system of its own.
type Host struct {
	*Node
	// Root is its file system by the machine's path, without what the host
	// mounts over it, as /run. It is there while the host is off, too.
	Root string
}

// Boot boots a host and returns it when its systemd says "running". The test
// is skipped where its root is missing.
func Boot(t testing.TB, options HostOptions) *Host {
	t.Helper()
	return BootAll(t, options)[0]
}

// BootAll boots hosts side by side.
func BootAll(t testing.TB, options ...HostOptions) []*Host {
	t.Helper()
	hosts := make([]*Host, len(options))
	for i, o := range options {
		Need(t, Root(o.Root))
		h, err := newHost(o)
		require.NoError(t, err)
		t.Cleanup(func() { h.dump(t) })
		hosts[i] = h
	}
	errs := make([]error, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() { errs[i] = h.powerOn(t.Context(), "running") })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	return hosts
}

func newHost(o HostOptions) (*Host, error) {
	n, err := o.Net.join(o.Name, o.Address)
	if err != nil {
		return nil, err
	}
	root, err := mountOverlay(o.Net.lab.piece("root-"+o.Root), n.dir)
	if err != nil {
		return nil, err
	}
	// With a machine id of its own the host does not think it is its first
	// boot, in which systemd would enable every unit anew.
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	for name, text := range map[string]string{"machine-id": hex.EncodeToString(id), "hostname": o.Name} {
		if err := os.WriteFile(filepath.Join(root, "etc", name), []byte(text+"\n"), 0o644); err != nil {
			return nil, err
		}
	}
	n.hosts = filepath.Join(root, "etc/hosts")
	return &Host{Node: n, Root: root}, o.Net.introduce(n)
}

// dump logs the console and the end of the journal if the test failed. The
// machine's journalctl reads it, as the host may be off.
func (h *Host) dump(t testing.TB) {
	if !t.Failed() {
		return
	}
	console, _ := os.ReadFile(h.console())
	t.Logf("console of host %s:\n%s", h.Name, console)
	journal, err := exec.Command("journalctl", "--directory", filepath.Join(h.Root, "var/log/journal"),
		"--no-pager", "--quiet", "--lines=300", "--output=short-precise").CombinedOutput()
	t.Logf("journal of host %s (%v):\n%s", h.Name, err, journal)
}
