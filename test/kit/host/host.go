// Package host has booted hosts with the package of raynoded on them, as an administrator has:
// units, a journal, role files, and clusters of two. The tests of test/hosts, test/faults,
// test/chaos, test/ansible and test/packages stand on it; what boots a host is package lab.
//
// A function that waits fails the test after [lab.Patience].
package host

import (
	"slices"
	"testing"

	"github.com/raynoded/raynoded/test/lab"
)

// Unit is the unit whose role is [RolePath].
const Unit = "raynoded.service"

// Host is a booted host that has the package, or will.
type Host struct{ *lab.Host }

// Boot boots hosts of one Debian, such as "trixie", side by side on one network, and installs the
// newest .deb of dist/. The test is skipped where something for it is missing.
func Boot(t *testing.T, suite string, names ...string) []*Host {
	t.Helper()
	deb := lab.Package(t)
	hosts := BootBare(t, Named(suite, names...)...)
	for _, h := range hosts {
		h.Install(t, deb)
	}
	return hosts
}

// Named are the options of hosts of one Debian with these names, for [BootBare].
func Named(suite string, names ...string) []lab.HostOptions {
	var options []lab.HostOptions
	for _, name := range names {
		options = append(options, lab.HostOptions{Name: name, Root: suite})
	}
	return options
}

// BootBare boots hosts side by side on one network of their own, without the package. Net in
// options is not looked at.
func BootBare(t *testing.T, options ...lab.HostOptions) []*Host {
	t.Helper()
	network := lab.NewNetwork(t)
	options = slices.Clone(options)
	for i := range options {
		options[i].Net = network
	}
	var hosts []*Host
	for _, booted := range lab.BootAll(t, options...) {
		h := &Host{booted}
		h.remember(t)
		hosts = append(hosts, h)
	}
	return hosts
}

// remember has systemd keep the properties of units that have ended: it forgets a unit that no
// other unit names.
func (h *Host) remember(t *testing.T) {
	t.Helper()
	h.Put(
		t, "/etc/systemd/system/remember.target", "[Unit]\nAfter=raynoded.service raynoded@a.service raynoded@b.service\n",
		"644",
	)
	h.Sh(t, "systemctl daemon-reload && systemctl start remember.target")
}

// Install installs a .deb of this machine.
func (h *Host) Install(t *testing.T, deb string) {
	t.Helper()
	h.Copy(t, deb, "/root/raynoded.deb", "644")
	h.Sh(t, "dpkg --install /root/raynoded.deb && rm /root/raynoded.deb")
}
