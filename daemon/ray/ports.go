package ray

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/raynoded/raynoded/daemon/role"
)

// Port is a port that the role file fixes for a node.
type Port struct {
	Key    string // in the role file
	Number int
	flag   string
}

// Ports returns the fixed ports of a head or a worker, except that of the GCS. A port that Ray
// chooses by itself is not among them.
func Ports(r *role.Role, head bool) []Port {
	p := r.Ray.Ports
	all := []Port{
		{"ray.ports.node_manager", p.NodeManager, "node-manager-port"},
		{"ray.ports.object_manager", p.ObjectManager, "object-manager-port"},
		{"ray.ports.worker_min", p.WorkerMin, "min-worker-port"},
		{"ray.ports.worker_max", p.WorkerMax, "max-worker-port"},
		{"ray.ports.metrics_export", p.MetricsExport, "metrics-export-port"},
		{"ray.ports.dashboard_agent", p.DashboardAgent, "dashboard-agent-listen-port"},
		{"ray.ports.dashboard_agent_grpc", p.DashboardAgentGRPC, "dashboard-agent-grpc-port"},
		{"ray.ports.runtime_env_agent", p.RuntimeEnvAgent, "runtime-env-agent-port"},
	}
	if head {
		all = append(all,
			Port{"ray.ports.dashboard", p.Dashboard, "dashboard-port"},
			Port{"ray.ports.client_server", p.ClientServer, "ray-client-server-port"})
	}
	var fixed []Port
	for _, port := range all {
		if port.Number != 0 {
			fixed = append(fixed, port)
		}
	}
	return fixed
}

// CheckFree returns an error that names the key if a program listens on the port already. It
// accepts both ends of the worker range: Ray itself skips those ports of the range that are taken.
func CheckFree(p Port, ip string) error {
	if p.Key == "ray.ports.worker_min" || p.Key == "ray.ports.worker_max" {
		return nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(ip, strconv.Itoa(p.Number)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf(
			"%s: port %d of %s is taken by another program: stop that one (ss -ltnp shows it) or choose another port", p.Key,
			p.Number, ip,
		)
	}
	if err != nil {
		return fmt.Errorf("%s: cannot listen on port %d of %s: %w", p.Key, p.Number, ip, err)
	}
	return l.Close()
}
