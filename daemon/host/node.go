package host

import (
	"errors"
	"fmt"
	"os"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// Node returns the node that a decided role makes of this host, as far as the host alone knows.
// The caller adds its addresses, Ray's version and what is new at every start. tokenFile is that
// of the role's Token.
func (d Dirs) Node(r *role.Role, tokenFile string) ray.Node {
	return ray.Node{
		Role: r, Head: r.Kind == role.Head, Name: nodeName(r),
		TempDir: d.temp(r), TokenFile: d.rayTokenOf(tokenFile), StoreDir: d.store(),
	}
}

func nodeName(r *role.Role) string {
	if r.Node.Name != "" {
		return r.Node.Name
	}
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

// CheckPorts returns what is wrong with the fixed ports of a node. Each must be free on the
// address that Ray binds it to.
func CheckPorts(n ray.Node) error {
	var problems []error
	check := func(p ray.Port, ip string) {
		if err := ray.CheckFree(p, ip); err != nil {
			problems = append(problems, fmt.Errorf("%w: %w", reason.ErrHost, err))
		}
	}
	if n.Head {
		check(ray.Port{Key: "cluster.head", Number: n.Role.Cluster.Head.Port}, n.IP)
	}
	for _, p := range ray.Ports(n.Role, n.Head) {
		if p.Key == "ray.ports.dashboard" {
			check(p, n.Role.Ray.DashboardHost)
		} else {
			check(p, n.IP)
		}
	}
	return errors.Join(problems...)
}
