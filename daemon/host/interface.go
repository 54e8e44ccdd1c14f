package host

import (
	"net"
	"net/netip"
	"slices"
)

// InterfaceOf is the interface by which others reach an address of this host; "" = there is none.
func InterfaceOf(ip string) string {
	want, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	all, _ := net.Interfaces()
	for _, i := range all {
		have, err := i.Addrs()
		if err == nil && holds(i, addrs(have), want.Unmap()) {
			return i.Name
		}
	}
	return ""
}

// holds says whether an interface with the addresses have is the one for want. Every loopback
// address is on the loopback interface. Another address may be on it as well, if it is routed to
// this host. That does not count: a program that is given the loopback interface tells others
// 127.0.0.1.
func holds(i net.Interface, have []netip.Addr, want netip.Addr) bool {
	if want.IsLoopback() {
		return slices.ContainsFunc(have, netip.Addr.IsLoopback)
	}
	return i.Flags&net.FlagLoopback == 0 && slices.Contains(have, want)
}
