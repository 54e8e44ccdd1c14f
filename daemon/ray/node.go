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

// Node is one start of one Ray node: the role file and what was found out for it on this host.
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
	Mark      string // tells this start from every other one: the node's instance id in the GCS
}

// MaxTempDir is the longest temp_dir in bytes: a Unix socket's path has at most 107 (unix(7)), and
// Ray adds /session_2026-11-23_09-14-09_709422_4194304/sockets/plasma_store to it
// (ray/_private/utils.py, validate_socket_filepath).
const MaxTempDir = 41

// Args are the arguments of the `ray` program that start the node and return.
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

// beyond is how much longer than raynoded Ray waits for its head: who leaves first decides how the
// node ends.
const beyond = time.Minute

// Mark is the name of the variable by which Ray takes a Node's mark.
const Mark = "RAY_CLOUD_INSTANCE_ID"

// Own are the variables of Ray's processes that say which node of which cluster they are.
func (n Node) Own() []string {
	return append(append(n.auth(), Mark+"="+n.Mark, n.patience()), n.store()...)
}

// patience is how long Ray's processes wait for the GCS to come back.
func (n Node) patience() string {
	return fmt.Sprintf("RAY_gcs_rpc_server_reconnect_timeout_s=%d", int(Patience(n.Role).Seconds()))
}

// Patience is how long a Ray that is started with the role waits for its GCS to come back.
func Patience(r *role.Role) time.Duration {
	refused, silent, stuck := r.Windows()
	return max(refused, silent, stuck) + beyond
}

// Driver are the variables by which a program on this host finds the cluster. None of them is a
// secret.
func (n Node) Driver() []string {
	env := append([]string{"RAY_ADDRESS=" + n.Address, "RAY_TMPDIR=" + n.TempDir}, n.auth()...)
	if n.Role.Cluster.PersistentHead {
		env = append(env, n.patience()) // by itself a driver gives its head a minute to come back
	}
	return env
}

// auth tells Ray the mode whatever it is: left to itself, a head turns tokens on where it finds
// one, and a worker does not (Ray 2.59, ray/_private/authentication).
func (n Node) auth() []string {
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

// DigestLabel is the label of a node in the GCS with the digest of its environment.
const DigestLabel = "raynoded.env"

// labels are those of the role file, which come first, and the digest. Ray 2.45 and later are given
// name=value,name=value: with JSON they warn, and refuse all of ray.io/
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
