package ray

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
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
	Mark      string // tells this start from every other one: the node's instance id in the GCS
}

// MaxTempDir is the longest temp_dir in bytes: a Unix socket's path has at most 107 (unix(7)), and Ray adds
// /session_2026-11-23_09-14-09_709422_4194304/sockets/plasma_store to it (ray/_private/utils.py, validate_socket_filepath).
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
	add("labels", labels(r.Labels))
	for _, p := range Ports(n.Role, n.Head) {
		add(p.flag, strconv.Itoa(p.Number))
	}
	return append(args, r.ExtraArgs...)
}

// beyond is how much longer than raynoded Ray waits for its head: who leaves first decides how the node ends.
const beyond = time.Minute

// Env is the environment of Ray's processes: base, less what would contradict the role, and what the role says.
func (n Node) Env(base []string) []string {
	env := append(SingleEnv(base, n.Role.Ray.Bin), n.auth()...)
	env = append(env, "RAY_CLOUD_INSTANCE_ID="+n.Mark, n.patience())
	return append(env, n.store()...)
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

// DriverEnv is the environment of a program that is to find the cluster: base, less what would contradict the role, and Driver.
func (n Node) DriverEnv(base []string) []string {
	return append(SingleEnv(base, n.Role.Ray.Bin), n.Driver()...)
}

// SingleEnv is the environment of a program that is to find no cluster: base, less what names one, with Ray's own folder
// first in PATH, so that `python` and `ray` are those of ray.bin. Ray reports usage to its makers only if base says so.
func SingleEnv(base []string, bin string) []string {
	path, usage := "/usr/local/bin:/usr/bin:/bin", "0"
	env := slices.DeleteFunc(slices.Clone(base), func(entry string) bool {
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case "PATH":
			path = value
		case "RAY_USAGE_STATS_ENABLED":
			usage = value
		default:
			return slices.Contains(ours, name)
		}
		return true
	})
	return append(env, "PATH="+filepath.Dir(bin)+":"+path, "RAY_USAGE_STATS_ENABLED="+usage)
}

// Driver are the variables by which a program on this host finds the cluster. None of them is a secret.
func (n Node) Driver() []string {
	env := append([]string{"RAY_ADDRESS=" + n.Address, "RAY_TMPDIR=" + n.TempDir}, n.auth()...)
	if n.Role.Cluster.PersistentHead {
		env = append(env, n.patience()) // by itself a driver gives its head a minute to come back
	}
	return env
}

// auth tells Ray the mode whatever it is: left to itself, a head turns tokens on where it finds one, and a worker does not
// (Ray 2.59, ray/_private/authentication).
func (n Node) auth() []string {
	if n.TokenFile == "" {
		return []string{"RAY_AUTH_MODE=disabled"}
	}
	return []string{"RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=" + n.TokenFile}
}

// ours are the variables that the role decides; another value in the service's environment must not.
var ours = []string{
	"RAY_ADDRESS", "RAY_TMPDIR", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH",
	"RAY_CLOUD_INSTANCE_ID", "RAY_gcs_rpc_server_reconnect_timeout_s",
	"RAY_REDIS_ADDRESS", "RAY_external_storage_namespace", "RAY_gcs_storage", "RAY_gcs_storage_path",
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

func labels(m map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, name+"="+m[name])
	}
	return strings.Join(pairs, ",")
}
