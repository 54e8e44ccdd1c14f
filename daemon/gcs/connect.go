package gcs

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attemptDelay is how long an attempt runs before the next address is tried beside it: the
// "Connection Attempt Delay" that RFC 8305 recommends.
const attemptDelay = 250 * time.Millisecond

// dialer makes TCP connections; the zero value asks the system's resolver.
type dialer struct{ resolver *net.Resolver }

// attempt is one attempt to connect to one address, and what came of it.
type attempt struct {
	index int
	addr  netip.AddrPort
	conn  net.Conn
	err   error
}

// connect connects to the first address of the name that takes the connection. Its errors are
// *failure without doing.
func (d dialer) connect(ctx context.Context, address string) (net.Conn, error) {
	host, port, err := splitAddress(address)
	if err != nil {
		return nil, &failure{why: err.Error(), fault: Unknown, err: err}
	}
	ips, err := d.resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, &failure{why: err.Error(), fault: Unresolved, err: err}
	}
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = netip.AddrPortFrom(ip.Unmap(), port)
	}
	conn, attempts := race(ctx, addrs)
	if conn != nil {
		return conn, nil
	}
	return nil, joinAttempts(attempts)
}

func splitAddress(address string) (host string, port uint16, err error) {
	host, service, err := net.SplitHostPort(address)
	number, perr := strconv.ParseUint(service, 10, 16)
	if err != nil || perr != nil || host == "" || number == 0 {
		return "", 0, errors.New("must be host:port")
	}
	return host, uint16(number), nil
}

// race starts with the first address. It begins with the next one whenever an attempt fails or has
// run for attemptDelay. It returns when all attempts have ended.
func race(ctx context.Context, addrs []netip.AddrPort) (net.Conn, []attempt) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan attempt)
	var conn net.Conn
	var attempts []attempt
	for begun := 0; conn == nil && begun < len(addrs) || len(attempts) < begun; {
		var late <-chan time.Time
		if conn == nil && begun < len(addrs) {
			a := attempt{index: begun, addr: addrs[begun]}
			begun++
			late = time.After(attemptDelay)
			go func() {
				a.conn, a.err = dialTCP(ctx, a.addr)
				ended <- a
			}()
		}
		select {
		case <-late:
		case a := <-ended:
			attempts = append(attempts, a)
			switch {
			case a.err != nil:
			case conn == nil:
				conn = a.conn
				cancel()
			default:
				_ = a.conn.Close()
			}
		}
	}
	return conn, attempts
}

func dialTCP(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, "tcp", addr.String())
}

// joinAttempts makes one error of all failed attempts.
func joinAttempts(attempts []attempt) error {
	slices.SortFunc(attempts, func(a, b attempt) int { return a.index - b.index })
	var whys []string
	var errs []error
	faults := make(map[Fault]bool)
	for _, a := range attempts {
		fault, why := readConnect(a.err)
		if len(attempts) > 1 {
			why = a.addr.Addr().String() + ": " + why
		}
		whys = append(whys, why)
		errs = append(errs, a.err)
		if len(attempts) == 1 || !lacksIPv6(a) {
			faults[fault] = true
		}
	}
	worst := Silent
	for _, fault := range []Fault{Refused, NotRay, Unknown, Silent} {
		if faults[fault] {
			worst = fault
		}
	}
	return &failure{why: strings.Join(whys, "; "), fault: worst, err: errors.Join(errs...)}
}

// lacksIPv6 says whether an attempt failed because this host has no IPv6. The head was not asked
// then, so the attempt says nothing about it.
func lacksIPv6(a attempt) bool {
	return a.addr.Addr().Is6() && (errors.Is(a.err, syscall.ENETUNREACH) ||
		errors.Is(a.err, syscall.EADDRNOTAVAIL) || errors.Is(a.err, syscall.EAFNOSUPPORT))
}

// readConnect returns the fault and the text of an error of connect(2).
func readConnect(err error) (Fault, string) {
	switch {
	case isSilence(err):
		return Silent, cause(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, syscall.ECONNREFUSED.Error()
	case errors.Is(err, syscall.ECONNRESET): // the host took the connection, and reset it before connect returned
		return NotRay, "not a Ray head: it " + closesAtOnce
	}
	return Unknown, cause(err)
}

// cause returns the innermost reason of a network error, without what package net puts around it.
func cause(err error) string {
	var errno syscall.Errno
	switch found := errors.As(err, &errno); {
	case found && errno != syscall.ETIMEDOUT:
		return errno.Error()
	case isSilence(err):
		return Silent.String()
	}
	return err.Error()
}

// isSilence says whether an error means that nothing came back.
func isSilence(err error) bool {
	for _, target := range []error{os.ErrDeadlineExceeded, context.DeadlineExceeded,
		syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
