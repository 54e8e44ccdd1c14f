package ray

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/role"
)

// Node is one start of one Ray node: the role file, and what was found out on this host for it.
type Node struct {
	Role      *role.Role
	Head      bool   // start a head; else a worker
	Address   string // ip:port of the GCS: what the head listens on, what the worker joins
	IP        string // the address by which the other nodes reach this one
	Name      string // the node's name in the cluster
	TempDir   string // at most MaxTempDir bytes
	TokenFile string // "" = the cluster has no token
	StoreDir  string // where the GCS of a persistent head keeps its state, unless the role names a Redis
	Version   string // of this host's Ray
	Digest    string // of the environment, for a label; "" = none
	StartID   string // no other start has it; the GCS lists it as the node's instance id
}

// MaxTempDir is the longest temp_dir in bytes: a Unix socket's path has at most 107 (unix(7)), and
// Ray adds /session_2026-11-23_09-14-09_709422_4194304/sockets/plasma_store to it
// (ray/_private/utils.py, validate_socket_filepath).
const MaxTempDir = 41

// Args returns the arguments of the `ray` program that start the node. The program then returns.
func (n Node) Args() []string {
	args := []string{"start", "--log-style=record", "--log-color=false"}
	add := func(name, value string) {
		if value != "" {
			args = append(args, "--"+name+"="+value)
		}
	}
	r := n.Role.Ray
	if n.Head {
		args = append(args, "--head")
		add("port", n.Address[strings.LastIndexByte(n.Address, ':')+1:])
		add("dashboard-host", r.DashboardHost)
		add("system-config", object(r.SystemConfig))
	} else {
		add("address", n.Address)
	}
	add("node-ip-address", n.IP)
	add("node-name", n.Name)
	add("temp-dir", n.TempDir)
	add("num-cpus", count(r.NumCPUs))
	add("num-gpus", count(r.NumGPUs))
	add("memory", bytes(r.Memory))
	add("object-store-memory", bytes(r.ObjectStoreMemory))
	add("resources", object(r.Resources))
	add("labels", n.labels())
	for _, p := range Ports(n.Role, n.Head) {
		add(p.flag, strconv.Itoa(p.Number))
	}
	return append(args, r.ExtraArgs...)
}

// reconnectMargin is how much longer Ray waits for its head than raynoded does. The one that gives
// up first decides how the node ends, and that must be raynoded.
const reconnectMargin = time.Minute

// StartIDVariable is the environment variable by which Ray takes Node.StartID.
const StartIDVariable = "RAY_CLOUD_INSTANCE_ID"

// Env returns the variables that tell Ray's processes which node of which cluster they are.
func (n Node) Env() []string {
	return append(append(n.authEnv(), StartIDVariable+"="+n.StartID, n.reconnectEnv()), n.storeEnv()...)
}

// reconnectEnv tells Ray's processes how long to wait for the GCS to come back.
func (n Node) reconnectEnv() string {
	return fmt.Sprintf("RAY_gcs_rpc_server_reconnect_timeout_s=%d", int(ReconnectTimeout(n.Role).Seconds()))
}

// ReconnectTimeout is how long Ray waits for its GCS to come back if it is started with the role.
func ReconnectTimeout(r *role.Role) time.Duration {
	refused, silent, stuck := r.Windows()
	return max(refused, silent, stuck) + reconnectMargin
}

// DriverEnv returns the variables by which a program on this host finds the cluster. None of them
// is a secret.
func (n Node) DriverEnv() []string {
	env := append([]string{"RAY_ADDRESS=" + n.Address, "RAY_TMPDIR=" + n.TempDir}, n.authEnv()...)
	if n.Role.Cluster.PersistentHead {
		env = append(env, n.reconnectEnv()) // a driver's default is a minute
	}
	return env
}

// authEnv always tells Ray the mode. Without it, a head turns tokens on if it finds one, and a
// worker does not (Ray 2.59, ray/_private/authentication).
func (n Node) authEnv() []string {
	if n.TokenFile == "" {
		return []string{"RAY_AUTH_MODE=disabled"}
	}
	return []string{"RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=" + n.TokenFile}
}

func count(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func bytes(n role.Size) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}

func object[V any](m map[string]V) string {
	if len(m) == 0 {
		return ""
	}
	text, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("a TOML table that is no JSON: %v", err))
	}
	return string(text)
}

// DigestLabel is the label by which a node in the GCS shows the digest of its environment.
const DigestLabel = "raynoded.env"

// labels returns the digest and the labels of the role file, which win. Ray 2.45 and later are
// given name=value,name=value: they warn about JSON, and refuse all labels of ray.io/ in it
// (ray/_private/label_utils.py, which 2.44 does not have). Older ones know only JSON.
func (n Node) labels() string {
	all := map[string]string{}
	if n.Digest != "" {
		all[DigestLabel] = n.Digest
	}
	maps.Copy(all, n.Role.Ray.Labels)
	if !AtLeast(n.Version, 2, 45) {
		return object(all)
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, name+"="+all[name])
	}
	return strings.Join(pairs, ",")
}
