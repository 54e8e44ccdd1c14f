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

// holds says whether an interface with some addresses is where one is wanted. All loopback
// addresses are where one is. An address that is routed to its host may be on the loopback
// interface: a program that is given that one tells others 127.0.0.1.
func holds(i net.Interface, have []netip.Addr, want netip.Addr) bool {
	if want.IsLoopback() {
		return slices.ContainsFunc(have, netip.Addr.IsLoopback)
	}
	return i.Flags&net.FlagLoopback == 0 && slices.Contains(have, want)
}
