package role

import (
	"reflect"
	"time"
)

// Role is one role file with its drop-ins and defaults, made by Load.
//
// A key tagged reload:"live", or in a table with that tag, applies at once when the file of a
// running node changes. Every other key needs a new Ray: see Diff.
type Role struct {
	// Name is the instance's name: the base name of the file without ".toml".
	Name string `toml:"-"`
	// Files are the files that were read: the role file, then its drop-ins in the order in
	// which they were applied.
	Files []string `toml:"-"`

	Kind     Kind     `toml:"role"`
	Cluster  Cluster  `toml:"cluster"`
	Node     Node     `toml:"node"`
	Ray      Ray      `toml:"ray"`
	Watchdog Watchdog `toml:"watchdog" reload:"live"`
	Stop     Stopping `toml:"stop" reload:"live"`
	Job      Job      `toml:"job"`
	// Env are environment variables for Ray and the job; "" = make sure that the variable is
	// unset, and derive nothing for it.
	Env map[string]string `toml:"env"`
	// EnvOrigins says where each variable of Env was last given: "FILE:LINE [env]".
	EnvOrigins map[string]string `toml:"-"`
	EnvFrom    EnvFrom           `toml:"env_from"`
	Auth       Auth              `toml:"auth"`
	Reload     Reload            `toml:"reload" reload:"live"`
	Log        Log               `toml:"log" reload:"live"`
}

// Cluster says which cluster the host belongs to.
type Cluster struct {
	// Name is for people; Ray never sees it. It may be empty.
	Name string `toml:"name" reload:"live"`
	// Head is the address on which a head listens, and which workers join. With Auto set, its
	// Host means nothing, because a launcher names the host; its Port is 6379 (Ray's own
	// default) unless given.
	Head Address `toml:"head"`
	// Nodes is the number of hosts expected, the head included; 0 = not given.
	Nodes int `toml:"nodes" reload:"live"`
	// ID is the only cluster to join, as Ray writes its id: 56 lower-case hex digits, for 28
	// bytes. Empty = any.
	ID string `toml:"id"`
	// JoinTimeout is how long a per-job worker waits for its head.
	JoinTimeout Duration `toml:"join_timeout" reload:"live"`
	// PersistentHead says that the head's GCS keeps its state over a restart, so that a head
	// that is away is expected to return: see Role.Windows.
	PersistentHead bool `toml:"persistent_head"`
	// Redis is where the GCS of a persistent head keeps its state; the zero Address = in a
	// folder on the head.
	Redis Address `toml:"redis"`
	// Auto is nil when the file has no [cluster.auto].
	Auto *AutoVars `toml:"auto"`
}

// AutoVars are the names of the environment variables in which a launcher says what this host is.
// None is empty.
type AutoVars struct {
	Rank     string `toml:"rank"` // 0 is the head
	Nodes    string `toml:"nodes"`
	HeadHost string `toml:"head_host"`
}

// Node says how this host presents itself to the cluster.
type Node struct {
	Name      string `toml:"name"`      // empty = the host's name
	Interface string `toml:"interface"` // the interface whose address to use; not together with IP
	IP        string `toml:"ip"`        // an IP address; both empty = the address on the route to the head
}

// Ray says how Ray is started.
type Ray struct {
	Bin     string `toml:"bin"`
	TempDir string `toml:"temp_dir"` // empty = a folder in raynoded's state folder

	NumGPUs           *int               `toml:"num_gpus"`            // nil = Ray counts; 0 = none
	NumCPUs           *int               `toml:"num_cpus"`            // nil = Ray counts; 0 = none
	Memory            Size               `toml:"memory"`              // 0 = Ray decides
	ObjectStoreMemory Size               `toml:"object_store_memory"` // 0 = Ray decides
	Resources         map[string]float64 `toml:"resources"`
	Labels            map[string]string  `toml:"labels"`

	DashboardHost string   `toml:"dashboard_host"` // used by a head
	StartTimeout  Duration `toml:"start_timeout"`
	// KeepSessions is how many session folders of this instance stay, the one in use included;
	// at least 1.
	KeepSessions int `toml:"keep_sessions" reload:"live"`
	// ExtraArgs are the last arguments of `ray start`. None is a flag for which the role file
	// has a key.
	ExtraArgs []string `toml:"extra_args"`
	Ports     Ports    `toml:"ports"`
	// SystemConfig is Ray's --system-config. It always has a JSON form. Nil or empty = none;
	// always empty for a worker.
	SystemConfig map[string]any `toml:"system_config"`
}

// Ports are the fixed ports of a node; 0 = Ray chooses.
type Ports struct {
	NodeManager        int `toml:"node_manager"`
	ObjectManager      int `toml:"object_manager"`
	WorkerMin          int `toml:"worker_min"` // both ends are part of the range;
	WorkerMax          int `toml:"worker_max"` // both 0 = Ray's own 10002 to 19999
	MetricsExport      int `toml:"metrics_export"`
	Dashboard          int `toml:"dashboard"`
	DashboardAgent     int `toml:"dashboard_agent"`
	DashboardAgentGRPC int `toml:"dashboard_agent_grpc"`
	RuntimeEnvAgent    int `toml:"runtime_env_agent"`
	ClientServer       int `toml:"client_server"`
}

// Watchdog says when a head counts as lost, and what follows. All its durations are above 0.
type Watchdog struct {
	OnHeadLoss    OnHeadLoss `toml:"on_head_loss"`
	Refused       Duration   `toml:"refused"`        // every connection refused for this long
	Silent        Duration   `toml:"silent"`         // nothing came back for this long
	Stuck         Duration   `toml:"stuck"`          // the kernel answers, the GCS does not, for this long
	HeadReturn    Duration   `toml:"head_return"`    // replaces the three for a persistent head
	CheckInterval Duration   `toml:"check_interval"` // at least 100ms
}

// Stopping says how Ray's processes are stopped.
type Stopping struct {
	Drain Duration `toml:"drain"` // how long a worker waits for its work to end; 0 = it announces nothing
	Grace Duration `toml:"grace"` // between SIGTERM and SIGKILL; 0 = none
}

// Job is what a head or a single host runs.
type Job struct {
	Command []string `toml:"command"` // empty = no job; there is no shell
	Dir     string   `toml:"dir"`     // absolute; empty = raynoded's working directory
	// WaitNodes and WaitGPUs are what the job waits for: see Role.WaitNodes; 0 GPUs = none.
	WaitNodes   int      `toml:"wait_nodes"`
	WaitGPUs    int      `toml:"wait_gpus"`
	WaitTimeout Duration `toml:"wait_timeout"`
}

// EnvFrom says what else makes the environment of Ray and the job.
type EnvFrom struct {
	Profiles []string `toml:"profiles"` // names; a later one wins
	// Files are KEY=value files for secrets, absolute or "credential:NAME"; a later one wins.
	Files []string `toml:"files"`
	// Inherit are names of variables to take over from raynoded's own environment; a * at the
	// end stands for the rest of a name.
	Inherit      []string     `toml:"inherit"`
	NCCLDelivery NCCLDelivery `toml:"nccl_delivery"`
}

// Auth is how the cluster recognizes its own members. It never holds a secret, only the place of
// one.
type Auth struct {
	Mode      AuthMode `toml:"mode"`
	TokenFile string   `toml:"token_file"` // absolute; empty = the systemd credential
}

// Reload says what an edit of the role file does to a node that runs.
type Reload struct {
	Restart Restart `toml:"restart"` // what a changed key that needs a new Ray does
}

// Log is how raynoded itself logs.
type Log struct {
	Level  LogLevel  `toml:"level"`
	Format LogFormat `toml:"format"`
}

// Standing reports whether the node outlives its head and waits for the next one. Otherwise it is a
// per-job node and ends with its head.
func (r *Role) Standing() bool { return r.Watchdog.OnHeadLoss == Rejoin }

// Windows are the times for which the head may refuse every connection, be silent, and be stuck
// before it is lost. They are all the same for a persistent head.
func (r *Role) Windows() (refused, silent, stuck time.Duration) {
	w := r.Watchdog
	if r.Cluster.PersistentHead {
		return w.HeadReturn.Duration, w.HeadReturn.Duration, w.HeadReturn.Duration
	}
	return w.Refused.Duration, w.Silent.Duration, w.Stuck.Duration
}

// WaitNodes is the number of nodes, the head included, that must be in the cluster before the job
// starts: job.wait_nodes, or cluster.nodes if that is 0. 0 = do not wait for nodes.
func (r *Role) WaitNodes() int {
	if r.Job.WaitNodes > 0 {
		return r.Job.WaitNodes
	}
	return r.Cluster.Nodes
}

// defaults is the role before any file is read. The role itself, cluster.head and auth.mode have no
// default.
func defaults() Role {
	return Role{
		Cluster: Cluster{JoinTimeout: Duration{20 * time.Minute}},
		Ray: Ray{
			Bin:           "/opt/ray/bin/ray",
			DashboardHost: "127.0.0.1",
			StartTimeout:  Duration{5 * time.Minute},
			KeepSessions:  3,
		},
		Watchdog: Watchdog{
			OnHeadLoss:    Stop,
			Refused:       Duration{500 * time.Millisecond},
			Silent:        Duration{30 * time.Second},
			Stuck:         Duration{time.Minute},
			HeadReturn:    Duration{15 * time.Minute},
			CheckInterval: Duration{5 * time.Second},
		},
		Stop:       Stopping{Grace: Duration{5 * time.Second}},
		Job:        Job{WaitTimeout: Duration{20 * time.Minute}},
		EnvOrigins: map[string]string{},
		EnvFrom:    EnvFrom{NCCLDelivery: DeliverFile},
		Reload:     Reload{Restart: Never},
		Log:        Log{Level: "info"},
	}
}

// fields are the keys of one table of the role file, as its struct declares them.
func fields(table reflect.Type) []reflect.StructField {
	var known []reflect.StructField
	for field := range table.Fields() {
		if keyOf(field) != "-" {
			known = append(known, field)
		}
	}
	return known
}

func keyOf(field reflect.StructField) string { return field.Tag.Get("toml") }

// knownKeys are the full names of all keys and tables in a table and below it.
func knownKeys(table reflect.Type, prefix string) []string {
	var keys []string
	for _, field := range fields(table) {
		key := prefix + keyOf(field)
		keys = append(keys, key)
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if isTable(inner) {
			keys = append(keys, knownKeys(inner, key+".")...)
		}
	}
	return keys
}

// isTable reports whether a field is a table whose keys are known, and not a value such as an
// address.
func isTable(field reflect.Type) bool {
	_, word := reflect.New(field).Interface().(value)
	return field.Kind() == reflect.Struct && !word
}
