package gcs

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestDial_Refused(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	require.NoError(t, l.Close())
	_, err := Dial(t.Context(), Head{Address: l.Addr().String()})
	require.EqualError(t, err, "cannot reach head "+l.Addr().String()+": connection refused")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.Equal(t, Refused, FaultOf(err))
}

func TestDial_BadInput(t *testing.T) {
	for _, tt := range []struct {
		name  string
		head  Head
		text  string
		fault Fault
	}{
		{"NoPort", Head{Address: "gpu-001"}, "cannot reach head gpu-001: must be host:port", Unknown},
		{"NoHost", Head{Address: ":6379"}, "cannot reach head :6379: must be host:port", Unknown},
		{"PortZero", Head{Address: "gpu-001:0"}, "cannot reach head gpu-001:0: must be host:port", Unknown},
		{"PortName", Head{Address: "gpu-001:http"}, "cannot reach head gpu-001:http: must be host:port", Unknown},
		{"Control", Head{Address: "gpu\x1b[2J"}, "cannot reach head gpu\ufffd[2J: must be host:port", Unknown},
		{
			"Token", Head{Address: "127.0.0.1:1", Token: NewToken("two words")},
			"cannot reach head 127.0.0.1:1: token: must be printable ASCII without spaces", Unauthorized,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Dial(t.Context(), tt.head)
			require.EqualError(t, err, tt.text)
			require.Equal(t, tt.fault, FaultOf(err))
		})
	}
}

func TestDial_Cancelled(t *testing.T) {
	why := errors.New("asked to stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	_, err := Dial(ctx, Head{Address: full(t, "127.0.0.1:0")})
	require.ErrorIs(t, err, why)
	require.Equal(t, Unknown, FaultOf(err))
}

func TestDial_Silent(t *testing.T) {
	t.Parallel()
	address := full(t, "127.0.0.1:0")
	_, err := Dial(within(t, soon), Head{Address: address})
	require.EqualError(t, err, "cannot reach head "+address+": no answer from the host")
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
	require.Equal(t, Silent, FaultOf(err))
}

func TestDial_Unresolved(t *testing.T) {
	t.Parallel()
	t.Run("NoSuchName", func(t *testing.T) {
		_, err := dialer{names(t)}.dial(t.Context(), Head{Address: "nonexistent.invalid.:6379"})
		var dns *net.DNSError
		require.ErrorAs(t, err, &dns)
		require.True(t, dns.IsNotFound)
		require.Equal(t, Unresolved, FaultOf(err))
		require.EqualError(t, err, "cannot reach head nonexistent.invalid.:6379: "+dns.Error())
	})
	t.Run("SilentServer", func(t *testing.T) {
		deaf, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = deaf.Close() })
		_, err = dialer{resolver(deaf.LocalAddr())}.dial(within(t, soon), Head{Address: "gpu-001.invalid.:6379"})
		require.Equal(t, Unresolved, FaultOf(err))
	})
}

// The addresses of a name are 127.0.0.2 and on, each with the same port.
func TestDial_SeveralAddresses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		hosts []string // what each address does
		text  string
		fault Fault
	}{
		{"AllRefuse", []string{"refuse", "refuse"}, "127.0.0.2: connection refused; 127.0.0.3: connection refused", Refused},
		{"SecondTakes", []string{"refuse", "take"}, "", Unknown},
		{"SilentThenTakes", []string{"silent", "take"}, "", Unknown},
		{"OneSilent", []string{"refuse", "silent"}, "127.0.0.2: connection refused; 127.0.0.3: no answer from the " +
			"host", Silent},
		{"AllSilent", []string{"silent", "silent"}, "127.0.0.2: no answer from the host; 127.0.0.3: no answer from the " +
			"host", Silent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ips []netip.Addr
			port := "0"
			for i, what := range tt.hosts {
				ip := netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)})
				ips = append(ips, ip)
				var address string
				switch what {
				case "silent":
					address = full(t, net.JoinHostPort(ip.String(), port))
				default:
					l := listen(t, net.JoinHostPort(ip.String(), port))
					address = l.Addr().String()
					if what == "refuse" {
						require.NoError(t, l.Close())
					}
				}
				_, port, _ = net.SplitHostPort(address)
			}
			head := "gpu-001.invalid.:" + port
			wait := unheard
			if tt.fault != Silent {
				wait = later
			}
			c, err := dialer{names(t, ips...)}.dial(within(t, wait), Head{Address: head})
			if tt.text == "" {
				require.NoError(t, err)
				require.NoError(t, c.Close())
				return
			}
			require.EqualError(t, err, "cannot reach head "+head+": "+tt.text)
			require.Equal(t, tt.fault, FaultOf(err))
		})
	}
}

func TestVerdict(t *testing.T) {
	four, six := netip.MustParseAddrPort("10.0.0.1:6379"), netip.MustParseAddrPort("[2001:db8::1]:6379")
	for _, tt := range []struct {
		name     string
		attempts []attempt
		fault    Fault
		text     string
	}{
		{"NoRoute", []attempt{{addr: four, err: syscall.EHOSTUNREACH}}, Silent, "no route to host"},
		{"NoNetwork", []attempt{{addr: four, err: syscall.ENETUNREACH}}, Silent, "network is unreachable"},
		{"KernelTimeout", []attempt{{addr: four, err: syscall.ETIMEDOUT}}, Silent, "no answer from the host"},
		{"OnlySixAndNoSix", []attempt{{addr: six, err: syscall.ENETUNREACH}}, Silent, "network is unreachable"},
		{
			"NoSixHere", []attempt{{addr: four, err: syscall.ECONNREFUSED}, {index: 1, addr: six, err: syscall.ENETUNREACH}},
			Refused,
			"10.0.0.1: connection refused; 2001:db8::1: network is unreachable",
		},
		{
			"OtherNetworkGone", []attempt{{addr: four, err: syscall.ECONNREFUSED}, {index: 1, addr: four,
				err: syscall.ENETUNREACH}}, Silent,
			"10.0.0.1: connection refused; 10.0.0.1: network is unreachable",
		},
		{"NoDescriptors", []attempt{{addr: four, err: syscall.EMFILE}}, Unknown, "too many open files"},
		{
			"RefusedAndNoDescriptors", []attempt{{addr: four, err: syscall.ECONNREFUSED}, {index: 1, addr: four,
				err: syscall.EMFILE}}, Unknown,
			"10.0.0.1: connection refused; 10.0.0.1: too many open files",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := joinAttempts(tt.attempts)
			require.Equal(t, tt.fault, FaultOf(err))
			require.EqualError(t, err, ": "+tt.text)
			require.ErrorIs(t, err, tt.attempts[0].err)
		})
	}
}

// full is a listener that takes no more connections: its kernel drops what asks
// for one, as a host does that is gone.
func full(t *testing.T, address string) string {
	t.Helper()
	at := netip.MustParseAddrPort(address)
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}))
	require.NoError(t, unix.Listen(fd, 0))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	address = netip.AddrPortFrom(at.Addr(), uint16(name.(*unix.SockaddrInet4).Port)).String()
	conn, err := net.Dial("tcp", address) // the one that a backlog of 0 holds
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return address
}

// names is a resolver for which every name has these addresses; without any, no
// name exists. It asks a server on loopback and nobody else.
func names(t *testing.T, ips ...netip.Addr) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for buf := make([]byte, 512); ; {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(answer(buf[:n], ips), from)
		}
	}()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return resolver(server.LocalAddr())
}

func resolver(server net.Addr) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", server.String())
	}}
}

// answer is the DNS message (RFC 1035) that answers query with A records.
func answer(query []byte, ips []netip.Addr) []byte {
	const header, typeA = 12, 1
	end := header // of the question: a name, which ends with 0, type and class
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	asksA := binary.BigEndian.Uint16(query[end+1:]) == typeA
	end += 5
	reply := append([]byte(nil), query[:end]...)
	reply[2], reply[3] = 0x84, 0 // an authoritative answer
	if len(ips) == 0 {
		reply[3] = 3 // no such name
	}
	copy(reply[6:header], make([]byte, 6)) // no answers, no further records
	if !asksA {
		return reply
	}
	reply[7] = byte(len(ips))
	for _, ip := range ips {
		reply = append(reply, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 60, 0, 4)
		reply = append(reply, ip.AsSlice()...)
	}
	return reply
}
