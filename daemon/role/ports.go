package role

import "fmt"

const (
	maxPort  = 65535
	userPort = 1024 // Ray takes none below it for its workers, and for two more

	// The workers' ports of `ray start` where none are given.
	rayWorkerMin = 10002
	rayWorkerMax = 19999
)

// port is one fixed port of a node: a key, its value, the least that Ray takes,
// and the one that it takes by itself if that is not a random one. Ray looks for
// clashes with those of a head on a worker, too.
type port struct {
	key   string
	value int
	least int
	own   int
}

func (l *loader) ports() []port {
	p := &l.role.Ray.Ports
	return []port{
		{"ray.ports.node_manager", p.NodeManager, 1, 0},
		{"ray.ports.object_manager", p.ObjectManager, 1, 0},
		{"ray.ports.metrics_export", p.MetricsExport, 1, 0},
		{"ray.ports.dashboard", p.Dashboard, 1, 8265},
		{"ray.ports.dashboard_agent", p.DashboardAgent, 1, 52365},
		{"ray.ports.dashboard_agent_grpc", p.DashboardAgentGRPC, 1, 0},
		{"ray.ports.runtime_env_agent", p.RuntimeEnvAgent, userPort, 0},
		{"ray.ports.client_server", p.ClientServer, userPort, 10001},
	}
}

func (l *loader) checkPortValues() {
	p := &l.role.Ray.Ports
	ports := append(l.ports(),
		port{"ray.ports.worker_min", p.WorkerMin, userPort, 0},
		port{"ray.ports.worker_max", p.WorkerMax, userPort, 0},
	)
	for _, port := range ports {
		l.check(port.value == 0 || port.value >= port.least && port.value <= maxPort,
			port.key, fmt.Sprintf("must be 0 or a port from %d to %d", port.least, maxPort), port.value)
	}
}

// checkPorts looks for two uses of one port: Ray would not start.
func (l *loader) checkPorts() {
	p := &l.role.Ray.Ports
	low, high := l.checkWorkerPorts(p.WorkerMin, p.WorkerMax)
	ports := l.ports()
	if l.role.Kind == Head || l.role.Kind == Auto {
		ports = append([]port{{key: "cluster.head", value: l.role.Cluster.Head.Port}}, ports...)
	}
	users := map[int]string{}
	for _, port := range ports {
		if port.value != 0 || port.own == 0 {
			continue
		}
		users[port.own] = "Ray's own " + port.key
		if port.own >= low && port.own <= high {
			l.clash("ray.ports.worker_min", fmt.Sprintf("must leave out %s (%d)", users[port.own], port.own), low)
		}
	}
	for _, port := range ports {
		if port.value == 0 || l.refused[port.key] {
			continue
		}
		if port.value >= low && port.value <= high {
			l.clash(port.key, fmt.Sprintf("must be outside the workers' ports %d to %d", low, high), port.value)
		}
		if user := users[port.value]; user != "" {
			l.clash(port.key, "must differ from "+user, port.value)
		}
		users[port.value] = port.key
	}
}

// checkWorkerPorts returns the range that workers take; one that is no range is
// a complaint and returned as empty.
func (l *loader) checkWorkerPorts(low, high int) (int, int) {
	const lowKey, highKey = "ray.ports.worker_min", "ray.ports.worker_max"
	switch {
	case l.refused[lowKey] || l.refused[highKey]:
	case low == 0 && high == 0:
		return rayWorkerMin, rayWorkerMax
	case low == 0:
		l.clash(highKey, "must come with "+lowKey, high)
	case high == 0:
		l.clash(lowKey, "must come with "+highKey, low)
	case low >= high:
		l.clash(highKey, fmt.Sprintf("must be above %s (%d)", lowKey, low), high)
	default:
		return low, high
	}
	return 0, -1
}
