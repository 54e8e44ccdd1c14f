package role

import "fmt"

const (
	maxPort     = 65535
	minUserPort = 1024 // Ray accepts no port below it for its workers and for two more keys

	// The worker ports that `ray start` uses where none are given.
	rayWorkerMin = 10002
	rayWorkerMax = 19999
)

// port is one fixed port of a node. Ray looks for clashes with the ports of a head on a worker,
// too.
type port struct {
	key        string
	value      int // 0 = Ray chooses
	least      int // the lowest that Ray accepts
	rayDefault int // what Ray uses where value is 0; 0 = a random port
}

func (l *loader) ports() []port {
	p := &l.role.Ray.Ports
	return []port{
		{key: "ray.ports.node_manager", value: p.NodeManager, least: 1},
		{key: "ray.ports.object_manager", value: p.ObjectManager, least: 1},
		{key: "ray.ports.metrics_export", value: p.MetricsExport, least: 1},
		{key: "ray.ports.dashboard", value: p.Dashboard, least: 1, rayDefault: 8265},
		{key: "ray.ports.dashboard_agent", value: p.DashboardAgent, least: 1, rayDefault: 52365},
		{key: "ray.ports.dashboard_agent_grpc", value: p.DashboardAgentGRPC, least: 1},
		{key: "ray.ports.runtime_env_agent", value: p.RuntimeEnvAgent, least: minUserPort},
		{key: "ray.ports.client_server", value: p.ClientServer, least: minUserPort, rayDefault: 10001},
	}
}

func (l *loader) checkPortValues() {
	p := &l.role.Ray.Ports
	ports := append(l.ports(),
		port{key: "ray.ports.worker_min", value: p.WorkerMin, least: minUserPort},
		port{key: "ray.ports.worker_max", value: p.WorkerMax, least: minUserPort},
	)
	for _, port := range ports {
		l.check(port.value == 0 || port.value >= port.least && port.value <= maxPort,
			port.key, fmt.Sprintf("must be 0 or a port from %d to %d", port.least, maxPort), port.value)
	}
}

// checkPorts looks for two uses of one port, with which Ray would not start.
func (l *loader) checkPorts() {
	p := &l.role.Ray.Ports
	low, high := l.checkWorkerPorts(p.WorkerMin, p.WorkerMax)
	l.checkPortOfEachWorker(low, high)
	ports := l.ports()
	if l.role.Kind == Head || l.role.Kind == Auto {
		ports = append([]port{{key: "cluster.head", value: l.role.Cluster.Head.Port}}, ports...)
	}
	users := map[int]string{}
	for _, port := range ports {
		if port.value != 0 || port.rayDefault == 0 {
			continue
		}
		users[port.rayDefault] = "Ray's own " + port.key
		if port.rayDefault >= low && port.rayDefault <= high {
			l.conflict("ray.ports.worker_min",
				fmt.Sprintf("must leave out %s (%d)", users[port.rayDefault], port.rayDefault), low)
		}
	}
	for _, port := range ports {
		if port.value == 0 || l.refused[port.key] {
			continue
		}
		if port.value >= low && port.value <= high {
			l.conflict(port.key, fmt.Sprintf("must be outside the workers' ports %d to %d", low, high), port.value)
		}
		if user := users[port.value]; user != "" {
			l.conflict(port.key, "must differ from "+user, port.value)
		}
		users[port.value] = port.key
	}
}

// checkWorkerPorts returns the range of the worker ports. It complains about two ports that are not
// a range, and returns an empty one for them.
func (l *loader) checkWorkerPorts(low, high int) (int, int) {
	const lowKey, highKey = "ray.ports.worker_min", "ray.ports.worker_max"
	switch {
	case l.refused[lowKey] || l.refused[highKey]:
	case low == 0 && high == 0:
		return rayWorkerMin, rayWorkerMax
	case low == 0:
		l.conflict(highKey, "must come with "+lowKey, high)
	case high == 0:
		l.conflict(lowKey, "must come with "+highKey, low)
	case low >= high:
		l.conflict(highKey, fmt.Sprintf("must be above %s (%d)", lowKey, low), high)
	default:
		return low, high
	}
	return 0, -1
}

// checkPortOfEachWorker refuses a range that has fewer ports than Ray has CPUs: each worker process
// needs one. With 3 ports for 4 CPUs Ray starts, and two of four actors never do ("No available
// ports" in the raylet's worker_pool.cc, seen on Ray 2.60).
func (l *loader) checkPortOfEachWorker(low, high int) {
	cpus, count := l.role.Ray.NumCPUs, high-low+1
	if cpus == nil || l.refused["ray.num_cpus"] || count <= 0 || count >= *cpus {
		return
	}
	if p := l.role.Ray.Ports; p.WorkerMax == 0 {
		l.conflict("ray.num_cpus", fmt.Sprintf("must be at most %d, the number of Ray's worker ports", count), *cpus)
		return
	}
	l.conflict("ray.ports.worker_max",
		fmt.Sprintf("must leave a port for each of ray.num_cpus (%d), at least %d", *cpus, low+*cpus-1), high)
}
