package host

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHolds(t *testing.T) {
	lo, port := net.Interface{
		Name:  "lo",
		Flags: net.FlagUp | net.FlagLoopback,
	}, net.Interface{
		Name:  "eth0",
		Flags: net.FlagUp,
	}
	cases := []struct {
		name  string
		i     net.Interface
		have  string
		want  string
		holds bool
	}{
		{"a port", port, "10.0.0.7 fd00::7", "10.0.0.7", true},
		{"a port, by IPv6", port, "10.0.0.7 fd00::7", "fd00::7", true},
		{"another port", port, "10.0.0.8", "10.0.0.7", false},
		{"loopback", lo, "127.0.0.1 ::1", "127.0.0.1", true},
		{"another address of loopback", lo, "127.0.0.1 ::1", "127.0.1.1", true},
		{"loopback is no port's", port, "10.0.0.7", "127.0.0.1", false},
		{"routed to the host", lo, "127.0.0.1 10.0.0.7", "10.0.0.7", false},
		{"routed to the host, by IPv6", lo, "::1 fd00::7", "fd00::7", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var have []netip.Addr
			for _, ip := range strings.Fields(c.have) {
				have = append(have, netip.MustParseAddr(ip))
			}
			require.Equal(t, c.holds, holds(c.i, have, netip.MustParseAddr(c.want)))
		})
	}
}

func TestHolder(t *testing.T) {
	lo := InterfaceOf("127.0.0.1")
	i, err := net.InterfaceByName(lo)
	require.NoError(t, err)
	require.NotZero(t, i.Flags&net.FlagLoopback)
	require.Equal(t, lo, InterfaceOf("127.0.1.1"))
	require.Empty(t, InterfaceOf("192.0.2.77"))
	require.Empty(t, InterfaceOf(""))
}
