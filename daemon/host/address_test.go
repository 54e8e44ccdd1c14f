package host

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwn(t *testing.T) {
	me, err := os.Hostname()
	require.NoError(t, err)
	local := []netip.Addr{
		netip.MustParseAddr("127.0.0.1"),
		netip.MustParseAddr("10.0.0.7"),
		netip.MustParseAddr("fd00::7"),
	}
	cases := []struct {
		name     string
		host     string
		resolved string
		want     string // "" = not this host
	}{
		{"mine", "gpu-007", "10.0.0.7", "10.0.0.7"},
		{"mine by IPv6", "gpu-007", "fd00::7", "fd00::7"},
		{"one of several is mine", "gpu-007", "10.1.0.7 10.0.0.7", "10.0.0.7"},
		{"another's", "gpu-008", "10.0.0.8", ""},
		{"no address", "gpu-008", "", ""},
		{"a loopback address as such", "127.0.0.9", "127.0.0.9", "127.0.0.9"},
		{"my name by Debian's /etc/hosts", me, "127.0.1.1", "127.0.1.1"},
		{"another's name by a wrong /etc/hosts", "gpu-008", "127.0.1.1", ""},
		{"another's name, then its address", "gpu-008", "127.0.1.1 10.0.0.7", "10.0.0.7"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var resolved []netip.Addr
			for _, ip := range strings.Fields(c.resolved) {
				resolved = append(resolved, netip.MustParseAddr(ip))
			}
			ip, mine := ofThisHost(c.host, resolved, local)
			require.Equal(t, c.want != "", mine)
			if mine {
				require.Equal(t, c.want, ip.String())
			}
		})
	}
}

func TestIsMe(t *testing.T) {
	me, err := os.Hostname()
	require.NoError(t, err)
	short, _, _ := strings.Cut(me, ".")
	for name, want := range map[string]bool{
		me: true, short: true, strings.ToUpper(me): true, short + ".example.net": true,
		"x" + me: false, me + "x": false, "": false, "localhost": me == "localhost",
	} {
		require.Equal(t, want, isThisHost(name), name)
	}
}

func TestRoute_Loopback(t *testing.T) {
	ip, err := route("127.0.0.1:9")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", ip)
}

func TestInterfaceIP(t *testing.T) {
	ip, err := interfaceIP("lo")
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1", ip)
	_, err = interfaceIP("none0")
	require.EqualError(t, err, "this host is not fit: node.interface: this host has no interface none0")
}
