package role

// about says what each key and table is for, in the words of the schema and the manual page. A text
// does not repeat the type, the words to choose from, the default, or whether an edit is live:
// those follow from the types.
var about = map[string]string{
	"role": "What this host is. With auto it finds out at its start: the head if cluster.head is an address of it, or " +
		"as " +
		"[cluster.auto] says; single if cluster.nodes is 1; else a worker.",

	"cluster":      "The cluster that the host belongs to.",
	"cluster.name": "A name for people. Ray never sees it.",
	"cluster.head": "Where the head listens and the workers join: host:port. What a head tells the others is the " +
		"address that this name has, or node.ip.",
	"cluster.nodes": "The number of hosts expected, the head included. 0: not said. 1 with role = \"auto\": the host is " +
		"single.",
	"cluster.id": "The only Ray cluster to be part of: its id as Ray writes it, 56 lower-case hex digits. " +
		"Empty: any.",
	"cluster.join_timeout": "How long a per-job worker waits for its head. A standing one waits for ever.",
	"cluster.persistent_head": "Whether the head's GCS keeps its state over a restart, so that workers with their " +
		"actors " +
		"wait for it. The files of the head and of the workers must say the same. Not together with [job].",
	"cluster.redis": "The Redis, without a password, in which the GCS of a persistent head keeps its state: host:port. " +
		"Without it: a folder of raynoded's own, for Ray 2.57 or later.",
	"cluster.auto": "The names of the environment variables in which a launcher says what this host is. All three are " +
		"needed. Of cluster.head only the port counts then.",
	"cluster.auto.rank":      "The variable with the host's rank; 0 is the head.",
	"cluster.auto.nodes":     "The variable with the number of hosts.",
	"cluster.auto.head_host": "The variable with the head's host name.",

	"node":      "How this host presents itself to the cluster.",
	"node.name": "What Ray calls this host. Empty: the host's name. Nodes that share an address need names of their own.",
	"node.interface": "The network interface whose address Ray uses. Not together with node.ip. Both empty: the address " +
		"on the route to the head.",
	"node.ip": "The address of this host that Ray uses.",

	"ray":     "How Ray is started.",
	"ray.bin": "The ray program. Its version and its Python's must be the same on every host.",
	"ray.temp_dir": "The folder of Ray's sessions, sockets and logs, at most 41 bytes long. Empty: ray, below the state " +
		"folder of raynoded.",
	"ray.num_gpus":            "How many GPUs this host offers. Without it Ray counts them.",
	"ray.num_cpus":            "How many CPUs this host offers. Without it Ray counts them.",
	"ray.memory":              "How much memory Ray's tasks and actors may ask for. Without it Ray decides.",
	"ray.object_store_memory": "The size of Ray's object store. Without it Ray decides.",
	"ray.resources":           "Resources of your own, each with an amount.",
	"ray.labels":              "Labels of your own, each with a text.",
	"ray.dashboard_host":      "The address on which a head's dashboard listens. 127.0.0.1: for this host only.",
	"ray.start_timeout":       "How long the start of Ray may take.",
	"ray.keep_sessions": "How many session folders of this node stay in temp_dir, the one in use included; at " +
		"least 1.",
	"ray.extra_args": "More arguments for ray start. Flags for which there is a key are refused.",
	"ray.ports": "Fixed ports, for a firewall. 0: Ray's own choice, which is 8265 for dashboard, 52365 for " +
		"dashboard_agent, 10001 for client_server, and any free port for the others.",
	"ray.ports.node_manager":   "The raylet's port.",
	"ray.ports.object_manager": "The port by which nodes send each other objects.",
	"ray.ports.worker_min": "The first port of Ray's worker processes. Given together with worker_max; both " +
		"0: 10002 to 19999.",
	"ray.ports.worker_max":           "The last port of Ray's worker processes. No other fixed port may be in that range.",
	"ray.ports.metrics_export":       "The port of Ray's own metrics.",
	"ray.ports.dashboard":            "The port of a head's dashboard.",
	"ray.ports.dashboard_agent":      "The port on which the dashboard agent answers HTTP.",
	"ray.ports.dashboard_agent_grpc": "The port on which the dashboard agent answers gRPC.",
	"ray.ports.runtime_env_agent":    "The port of the runtime environment agent; 1024 or above.",
	"ray.ports.client_server":        "The port for ray:// clients of a head; 1024 or above.",
	"ray.system_config":              "Settings of Ray itself, for the whole cluster. On the head only.",

	"watchdog": "When a head counts as lost, and what follows.",
	"watchdog.on_head_loss": "stop is the per-job way: when the head is gone, stop everything and end with exit code 0; " +
		"the unit is started for each job. rejoin is the standing way: stop everything and wait for the next head; the " +
		"unit is " +
		"enabled at boot.",
	"watchdog.refused":        "The head is lost when every connection has been refused for this long,",
	"watchdog.silent":         "or when nothing has come back on any connection for this long,",
	"watchdog.stuck":          "or when its host answers but the GCS has not for this long.",
	"watchdog.head_return":    "How long a persistent head may be away, in whichever way, before it is lost.",
	"watchdog.check_interval": "How often to ask the GCS whether it answers; at least 100ms.",

	"stop": "How Ray's processes are stopped.",
	"stop.drain": "How long a worker that is asked to stop waits for what runs on it to end, after it has told the head " +
		"to place nothing new there. 0s: it stops at once. With stop.grace it has to fit into the unit's TimeoutStopSec=, " +
		"which is 15 min as shipped.",
	"stop.grace": "The time between SIGTERM and SIGKILL.",

	"job": "What a head or a single host runs once the cluster is complete. Its end is the end of the cluster, and " +
		"raynoded " +
		"ends with its exit code.",
	"job.command":      "The program and its arguments. There is no shell. Empty: no job.",
	"job.dir":          "The folder to run it in: an absolute path. A program such as ./train.sh is looked for there.",
	"job.wait_nodes":   "How many nodes it waits for, the head included. 0: cluster.nodes.",
	"job.wait_gpus":    "How many GPUs it waits for. 0: none.",
	"job.wait_timeout": "How long it waits for them.",

	"env": "Environment variables for Ray and the job. An empty text makes sure that a variable is not set, and that " +
		"none " +
		"is derived.",

	"env_from": "What else makes the environment of Ray and the job.",
	"env_from.profiles": "Named sets of variables, from /etc/raynoded/profiles and /usr/share/raynoded/profiles. A " +
		"later one " +
		"wins.",
	"env_from.files": "KEY=value files for secrets, which others must not be able to read: absolute paths, or " +
		"credential:NAME for a systemd credential of the unit. A later one wins. No value of theirs is ever shown.",
	"env_from.inherit": "Names of variables to take over from raynoded's own environment, such as a launcher's. A * " +
		"at the " +
		"end stands for any more letters.",
	"env_from.nccl_delivery": "How NCCL gets what differs from host to host: in a file, which needs NCCL 2.23, or in " +
		"its " +
		"environment, where a program that copies that to other hosts overwrites theirs.",

	"auth": "How nodes and drivers prove that they belong to the cluster.",
	"auth.mode": "token: with the cluster's token, for Ray 2.52 or later. none: everybody who reaches Ray's ports can " +
		"run " +
		"programs here. There is no default; a single host needs none.",
	"auth.token_file": "A file with the token: an absolute path. Empty: the systemd credential ray-token.",

	"reload": "What an edit of the role file does to a node that runs.",
	"reload.restart": "What becomes of a changed key that needs a new Ray. never: it waits for Ray's next start. " +
		"always: Ray " +
		"is stopped, with all that runs on it, and started anew; a worker drains first, if stop.drain says so.",

	"log":        "How raynoded itself logs.",
	"log.level":  "The least severity that is logged.",
	"log.format": "How lines are written. Without it: to the journal under systemd, else as text.",
}
