package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// ErrUnresolved says that a name has no address. It may have one later.
var ErrUnresolved = errors.New("cannot resolve the name")

// resolveTimeout is how long a name server may take.
const resolveTimeout = 5 * time.Second

// resolve returns the addresses of a host, IPv4 first.
func resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip.Unmap()}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("%w %s", ErrUnresolved, host)
	}
	for i := range found {
		found[i] = found[i].Unmap()
	}
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return found, nil
}

// localAddrs returns the addresses of this host.
func localAddrs() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	return addrs(all), err
}

func addrs(all []net.Addr) []netip.Addr {
	var found []netip.Addr
	for _, a := range all {
		if prefix, err := netip.ParsePrefix(a.String()); err == nil {
			found = append(found, prefix.Addr().Unmap())
		}
	}
	return found
}

// ofThisHost returns the head's address that belongs to this host, if there is one. A loopback
// address counts if the role file gives the address itself, or if the name is this host's own
// (Debian's 127.0.1.1).
func ofThisHost(host string, resolved, local []netip.Addr) (netip.Addr, bool) {
	_, literal := netip.ParseAddr(host)
	for _, ip := range resolved {
		if ip.IsLoopback() && (literal == nil || isThisHost(host)) || !ip.IsLoopback() && slices.Contains(local, ip) {
			return ip, true
		}
	}
	return netip.Addr{}, false
}

// isThisHost says whether a name is this host's own, with or without its domain.
func isThisHost(host string) bool {
	me, err := os.Hostname()
	short, _, _ := strings.Cut(me, ".")
	name, _, _ := strings.Cut(host, ".")
	return err == nil && (strings.EqualFold(host, me) || strings.EqualFold(name, short))
}

// NodeIP is the address that a node of the role would have now. "" = it is a single host, or an
// auto role that is not decided yet.
func NodeIP(ctx context.Context, r *role.Role) (string, error) {
	if r.Kind == role.Single || r.Kind == role.Auto {
		return "", nil
	}
	if ip, err := configuredIP(r.Node); ip != "" || err != nil {
		return ip, err
	}
	if r.Kind == role.Head {
		return headIP(ctx, r.Cluster.Head.Host)
	}
	resolved, err := resolve(ctx, r.Cluster.Head.Host)
	if err != nil {
		return "", fmt.Errorf("%w: %w", reason.ErrUnreachable, err)
	}
	return route(HeadAddress(resolved[0].String(), r.Cluster.Head))
}

// headIP is the address of cluster.head that belongs to this host.
func headIP(ctx context.Context, host string) (string, error) {
	resolved, err := resolve(ctx, host)
	if err != nil {
		return "", reason.Unfit("cluster.head", "%w: a head must know its own address: mend the name or set node.ip", err)
	}
	local, err := localAddrs()
	if err != nil {
		return "", reason.Unfit("cluster.head", "cannot list this host's addresses: %w", err)
	}
	ip, mine := ofThisHost(host, resolved, local)
	switch {
	case !mine:
		return "", reason.Unfit(
			"cluster.head", "%s is %s, which is no address of this host: is this the head? If it is, set node.ip", host,
			list(resolved),
		)
	case ip.IsLoopback() && ip.String() != host:
		return route("192.0.2.1:9") // a documentation address (RFC 5737): only the way there is asked for, nothing is sent
	default:
		return ip.String(), nil
	}
}

// WorkerIP is the address by which the others reach a worker: the source address on the way to the
// head.
func WorkerIP(r *role.Role, head string) (string, error) {
	if ip, err := configuredIP(r.Node); ip != "" || err != nil {
		return ip, err
	}
	return route(head)
}

// configuredIP is the address that [node] of the role file names; "" = it names none.
func configuredIP(n role.Node) (string, error) {
	switch {
	case n.IP != "":
		return n.IP, nil
	case n.Interface != "":
		return interfaceIP(n.Interface)
	default:
		return "", nil
	}
}

func interfaceIP(name string) (string, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return "", reason.Unfit("node.interface", "this host has no interface %s", name)
	}
	all, err := i.Addrs()
	if err != nil {
		return "", reason.Unfit("node.interface", "%s: %w", name, err)
	}
	found := addrs(all)
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	for _, ip := range found {
		if !ip.IsLinkLocalUnicast() {
			return ip.String(), nil
		}
	}
	return "", reason.Unfit("node.interface", "%s has no address", name)
}

// route is the address that this host uses as its source on the way to another. Nothing is sent.
func route(to string) (string, error) {
	conn, err := net.Dial("udp", to)
	if err != nil {
		return "", reason.Unfit(
			"node.ip", "no route by which the others could reach this host (%w): set node.ip or node.interface", err,
		)
	}
	defer conn.Close()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return host, err
}

func list(ips []netip.Addr) string {
	var words []string
	for _, ip := range ips {
		words = append(words, ip.String())
	}
	return strings.Join(words, ", ")
}

// HeadAddress is the address of the head's GCS on one of its IPs.
func HeadAddress(ip string, head role.Address) string {
	return net.JoinHostPort(ip, strconv.Itoa(head.Port))
}
