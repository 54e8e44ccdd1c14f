package role

import "strings"

// ownFlags are the flags of `ray start` that raynoded sets itself, each with what to use instead.
var ownFlags = map[string]string{
	"--head":                        "use role",
	"--block":                       "raynoded watches Ray itself",
	"--address":                     "use cluster.head",
	"--port":                        "use cluster.head",
	"--node-ip-address":             "use node.ip or node.interface",
	"--node-name":                   "use node.name",
	"--temp-dir":                    "use ray.temp_dir",
	"--num-cpus":                    "use ray.num_cpus",
	"--num-gpus":                    "use ray.num_gpus",
	"--memory":                      "use ray.memory",
	"--object-store-memory":         "use ray.object_store_memory",
	"--resources":                   "use ray.resources",
	"--labels":                      "use ray.labels",
	"--dashboard-host":              "use ray.dashboard_host",
	"--redis-username":              "use a Redis without users, by cluster.redis",
	"--redis-password":              "Ray would show it to everybody on the host",
	"--system-config":               "use ray.system_config",
	"--node-manager-port":           "use ray.ports.node_manager",
	"--object-manager-port":         "use ray.ports.object_manager",
	"--min-worker-port":             "use ray.ports.worker_min",
	"--max-worker-port":             "use ray.ports.worker_max",
	"--worker-port-list":            "use ray.ports.worker_min and worker_max",
	"--metrics-export-port":         "use ray.ports.metrics_export",
	"--dashboard-port":              "use ray.ports.dashboard",
	"--dashboard-agent-listen-port": "use ray.ports.dashboard_agent",
	"--dashboard-agent-grpc-port":   "use ray.ports.dashboard_agent_grpc",
	"--runtime-env-agent-port":      "use ray.ports.runtime_env_agent",
	"--ray-client-server-port":      "use ray.ports.client_server",
}

// checkExtraArgs complains about flags that raynoded sets. It shows only the flag of an argument.
func (l *loader) checkExtraArgs() {
	var found []string
	for _, arg := range l.role.Ray.ExtraArgs {
		flag, _, _ := strings.Cut(arg, "=")
		if instead, own := ownFlags[flag]; own {
			found = append(found, flag+" ("+instead+")")
		}
	}
	l.check(len(found) == 0, "ray.extra_args", "must leave to raynoded what it sets", unquoted(strings.Join(found, ", ")))
}
