package role

// about says what each key and table is for, in the words of the schema and the manual page. A text
// does not repeat the type, the words to choose from, the default, or whether an edit is live:
// those follow from the types.
var about = map[string]string{
	"role": "What this host is. With auto it finds out when it starts: the head if cluster.head is one of its " +
		"addresses, or as [cluster.auto] says; single if cluster.nodes is 1; otherwise a worker.",

	"cluster":      "The cluster that the host belongs to.",
	"cluster.name": "A name for people. Ray never sees it.",
	"cluster.head": "Where the head listens and the workers join: host:port. A head tells the others the address that " +
		"this name resolves to, or node.ip.",
	"cluster.nodes": "The number of hosts expected, the head included. 0: not given. 1 with role = \"auto\": the host " +
		"is single.",
	"cluster.id":           "The only Ray cluster to be part of: its id, 56 lower-case hex digits. Empty: any.",
	"cluster.join_timeout": "How long a per-job worker waits for its head. A standing worker waits without a limit.",
	"cluster.persistent_head": "Whether the head's GCS keeps its state over a restart, so that the workers and their " +
		"actors wait for it. The files of the head and of the workers must say the same. Not together with [job].",
	"cluster.redis": "The Redis, without a password, in which the GCS of a persistent head keeps its state: " +
		"host:port. Empty: a folder of raynoded's own, which needs Ray 2.57 or later.",
	"cluster.auto": "The names of the environment variables in which a launcher says what this host is. All three are " +
		"needed. Only the port of cluster.head counts then.",
	"cluster.auto.rank":      "The variable with the host's rank; 0 is the head.",
	"cluster.auto.nodes":     "The variable with the number of hosts.",
	"cluster.auto.head_host": "The variable with the head's host name.",

	"node":      "How this host presents itself to the cluster.",
	"node.name": "What Ray calls this host. Empty: the host's name. Nodes that share an address need different names.",
	"node.interface": "The network interface whose address Ray uses. Not together with node.ip. Both empty: the " +
		"address on the route to the head.",
	"node.ip": "The address of this host that Ray uses.",

	"ray":     "How Ray is started.",
	"ray.bin": "The ray program. Its version, and that of its Python, must be the same on every host.",
	"ray.temp_dir": "The folder for Ray's sessions, sockets and logs; its path has at most 41 bytes. Empty: the " +
		"folder ray in raynoded's state folder.",
	"ray.num_gpus":            "How many GPUs this host offers. Not given: Ray counts them.",
	"ray.num_cpus":            "How many CPUs this host offers. Not given: Ray counts them.",
	"ray.memory":              "How much memory Ray's tasks and actors may ask for. Not given: Ray decides.",
	"ray.object_store_memory": "The size of Ray's object store, at least 75MiB. Not given: Ray decides.",
	"ray.resources":           "Custom resources, each with an amount: a whole number.",
	"ray.labels":              "Custom labels, each with a text, in the syntax of Kubernetes labels.",
	"ray.dashboard_host":      "The address on which a head's dashboard listens. 127.0.0.1: for this host only.",
	"ray.start_timeout":       "How long the start of Ray may take.",
	"ray.keep_sessions": "How many session folders of this node stay in temp_dir, the one in use included; at least " +
		"1.",
	"ray.extra_args": "More arguments for ray start. Flags that have a key here are refused.",
	"ray.ports": "Fixed ports, for a firewall. 0: Ray's own choice, which is 8265 for dashboard, 52365 for " +
		"dashboard_agent, 10001 for client_server, and any free port for the others.",
	"ray.ports.node_manager":   "The raylet's port.",
	"ray.ports.object_manager": "The port on which nodes exchange objects.",
	"ray.ports.worker_min": "The first port of Ray's worker processes. Given together with worker_max; both 0: 10002 " +
		"to 19999.",
	"ray.ports.worker_max": "The last port of Ray's worker processes: a port for each of num_cpus, and for drivers. No " +
		"other fixed port may be in that range.",
	"ray.ports.metrics_export":       "The port of Ray's own metrics.",
	"ray.ports.dashboard":            "The port of a head's dashboard.",
	"ray.ports.dashboard_agent":      "The port on which the dashboard agent answers HTTP.",
	"ray.ports.dashboard_agent_grpc": "The port on which the dashboard agent answers gRPC.",
	"ray.ports.runtime_env_agent":    "The port of the runtime environment agent; 1024 or above.",
	"ray.ports.client_server":        "The port for ray:// clients of a head; 1024 or above.",
	"ray.system_config":              "Settings of Ray itself, for the whole cluster. On the head only.",

	"watchdog": "When a head counts as lost, and what follows.",
	"watchdog.on_head_loss": "stop is the per-job way: when the head is gone, everything is stopped and raynoded ends " +
		"with exit code 0; the unit is started for each job. rejoin is the standing way: everything is stopped and " +
		"raynoded waits for the next head; the unit is enabled at boot.",
	"watchdog.refused": "The head is lost when it has refused every connection for this long.",
	"watchdog.silent":  "The head is lost when nothing has come back on any connection for this long.",
	"watchdog.stuck":   "The head is lost when its host answers but its GCS has not for this long.",
	"watchdog.head_return": "How long a persistent head may be away before it is lost. It replaces refused, silent " +
		"and stuck.",
	"watchdog.check_interval": "How often to ask the GCS whether it answers; at least 100ms.",

	"stop": "How Ray's processes are stopped.",
	"stop.drain": "How long a worker that is asked to stop waits for its work to end, after it has told the head " +
		"to place nothing new there. 0s: it stops at once. With stop.grace it has to fit into the unit's TimeoutStopSec=, " +
		"which is 15 min as shipped.",
	"stop.grace": "The time between SIGTERM and SIGKILL.",

	"job": "What a head or a single host runs once the cluster is complete. When it ends, the cluster ends, and " +
		"raynoded ends with its exit code.",
	"job.command":      "The program and its arguments. There is no shell. Empty: no job.",
	"job.dir":          "The folder to run it in: an absolute path. A program such as ./train.sh is looked for there.",
	"job.wait_nodes":   "How many nodes it waits for, the head included. 0: cluster.nodes.",
	"job.wait_gpus":    "How many GPUs it waits for. 0: none.",
	"job.wait_timeout": "How long it waits for them.",

	"env": "Environment variables for Ray and the job. An empty text makes sure that a variable is not set, and that " +
		"none is derived.",

	"env_from": "What else makes the environment of Ray and the job.",
	"env_from.profiles": "Named sets of variables, from /etc/raynoded/profiles and /usr/share/raynoded/profiles. A " +
		"later one wins.",
	"env_from.files": "KEY=value files for secrets, which others must not be able to read: absolute paths, or " +
		"credential:NAME for a systemd credential of the unit. A later one wins. Their values are never shown.",
	"env_from.inherit": "Names of variables to take over from raynoded's own environment, such as a launcher's. A * " +
		"at the end stands for the rest of a name.",
	"env_from.nccl_delivery": "How NCCL gets what differs from host to host: in a file, which needs NCCL 2.23, or in " +
		"its environment, where a program that copies its environment to other hosts overwrites theirs.",

	"auth": "How nodes and drivers prove that they belong to the cluster.",
	"auth.mode": "token: with the cluster's token, for Ray 2.52 or later. none: everybody who reaches Ray's ports can " +
		"run programs here. There is no default; a single host needs none.",
	"auth.token_file": "A file with the token: an absolute path. Empty: the systemd credential ray-token.",

	"reload": "What an edit of the role file does to a running node.",
	"reload.restart": "What happens to a changed key that needs a new Ray. never: it waits for Ray's next start. " +
		"always: Ray is stopped, with everything that runs on it, and started again; a worker drains first, if " +
		"stop.drain says so.",

	"log":        "How raynoded itself logs.",
	"log.level":  "The lowest severity that is logged.",
	"log.format": "How lines are written. Not given: for the journal under systemd, otherwise as text.",
}
