package host

import "testing"

// Where things are on a host.
const (
	RolePath   = "/etc/raynoded/role.toml"  // of Unit
	TokenPath  = "/etc/raynoded/token"      // of the head of a pair
	Credential = "/etc/credstore/ray-token" // the token of its worker, as a systemd credential
	Token      = "q7Zk3nT0mWc8yVb1xHs5"
)

// The role files of a [Pair].
const (
	PairHead = `role = "head"
[cluster]
name = "grpo"
head = "a.lab:6379"
nodes = 2
[ray]
num_cpus = 2
object_store_memory = "100MB"
extra_args = ["--include-dashboard=false"]
[stop]
grace = "3s"
[auth]
mode = "token"
token_file = "/etc/raynoded/token"
`
	PairWorker = `role = "worker"
[cluster]
name = "grpo"
head = "a.lab:6379"
nodes = 2
[ray]
num_cpus = 2
object_store_memory = "100MB"
[stop]
grace = "3s"
[auth]
mode = "token"
`
	// Standing is laid over the worker's role where it outlives its heads.
	Standing = "watchdog.on_head_loss = \"rejoin\"\n"
)

// LoneWorker is the role of a worker that waits for a head that does not come.
const LoneWorker = `role = "worker"
[cluster]
head = "10.77.0.1:6379"
[auth]
mode = "none"
`

// LoneHead is the role of a head that has no workers.
const LoneHead = `role = "head"
[cluster]
head = "10.77.0.1:6379"
[ray]
num_cpus = 1
object_store_memory = "100MB"
extra_args = ["--include-dashboard=false"]
[auth]
mode = "none"
`

// LayOver puts NAME.toml over the role file of [Unit].
func (h *Host) LayOver(t *testing.T, name, text string) {
	t.Helper()
	h.Put(t, RolePath+".d/"+name+".toml", text, "644")
}

// DropIn puts NAME.conf over a unit, which systemd reads.
func (h *Host) DropIn(t *testing.T, unit, name, text string) {
	t.Helper()
	h.Put(t, "/etc/systemd/system/"+unit+".d/"+name+".conf", text, "644")
	h.Sh(t, "systemctl daemon-reload")
}
