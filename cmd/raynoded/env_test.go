package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/host"
)

const someEnv = `
env = { NCCL_DEBUG = "ERROR", TP_SOCKET_IFNAME = "" }
env_from.profiles = ["mine"]
env_from.files = ["$DIR/secrets.env"]
`

// dress gives a host profiles and a file with a secret.
func (h *testHost) dress() *testHost {
	h.Helper()
	h.write(h.dir+"/profiles/mine.toml", `about = "for a test"
[env.NCCL_IB_TIMEOUT]
value = "22"
reason = "patience"
source = "a test"
date = "2026-11-25"
`)
	h.write(h.dir+"/secrets.env", "HF_TOKEN=hush-hush\n")
	return h
}

// showEnv runs `raynoded env` of a host.
func (h *testHost) showEnv(args ...string) *process {
	h.Helper()
	return command(h.T, h.env, append([]string{"env", "--role", h.role()}, args...)...)
}

// loopback is the name of the loopback interface.
func loopback(t *testing.T) string {
	all, err := net.Interfaces()
	require.NoError(t, err)
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	require.FailNow(t, "there is no loopback interface")
	return ""
}

// columns puts one sign between the columns of a table.
func columns(text string) string { return regexp.MustCompile(`  +`).ReplaceAllString(text, "|") }

func TestEnv(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, someEnv, `node.ip = "$IP"`).dress().
		with("NCCL_ALGO=Ring", "WANDB_API_KEY=hush-hush", "HOME=$DIR", "GORACE=", "FAKERAY_DIR=")
	p := h.showEnv()
	require.Equal(t, 0, p.exit())
	first, rest, _ := strings.Cut(p.output(), "\n")
	require.Regexp(t, "^# worker, node ip "+h.ip+" on "+loopback(t)+", digest [0-9a-f]{8}$", first)
	var ours []string // /etc of this machine may have something to say as well
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "not applied: ") || strings.Contains(line, "raynoded's own") {
			ours = append(ours, line)
		}
	}
	require.Equal(t, h.fill(strings.ReplaceAll(`GLOO_SOCKET_IFNAME|lo|env|derived: netdev of node ip $IP
HF_TOKEN|(secret)|env|file $DIR/secrets.env:1
HOME|$DIR|env|base: raynoded's own environment
NCCL_CONF_FILE|$DIR/worker/run/nccl.conf|env|raynoded: what is delivered by file
NCCL_DEBUG|ERROR|env|$DIR/worker.toml.d/0.toml:2 [env]
NCCL_IB_TIMEOUT|22|env|profile mine: patience
NCCL_SOCKET_IFNAME|=lo|file|derived: netdev of node ip $IP
NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME|=lo|env|derived: netdev of node ip $IP
PATH|$DIR/f/bin:/usr/local/bin:/usr/bin:/bin|env|base: the folder of ray.bin, then raynoded's own PATH
RAY_AUTH_MODE|disabled|env|raynoded: how this node is in its cluster
RAY_CLOUD_INSTANCE_ID|(new at every start)|env|raynoded: tells this start from others
RAY_USAGE_STATS_ENABLED|0|env|default: Ray reports to its makers only where it is told to
RAY_gcs_rpc_server_reconnect_timeout_s|120|env|raynoded: how this node is in its cluster
RAY_raylet_client_connect_timeout_milliseconds|20|env|default: a raylet may be there before its store
RAY_raylet_client_num_connect_attempts|500|env|default: a raylet may be there before its store
TP_SOCKET_IFNAME|(unset)|unset|$DIR/worker.toml.d/0.toml:2 [env]
not applied: NCCL_ALGO=Ring of raynoded's own environment: only what env_from.inherit names is taken over
not applied: WANDB_API_KEY of raynoded's own environment: only what env_from.inherit names is taken over
warning: NCCL_DEBUG: NCCL does not know this level and prints nothing: it knows VERSION, WARN, INFO, ABORT, TRACE ($DIR/worker.toml.d/0.toml:2 [env])
`, "lo|", loopback(t)+"|")), columns(strings.Join(ours, "")))
	require.NotContains(t, p.output(), "hush")
}

// What env shows is what Ray gets, and the log says the warnings.
func TestEnv_IsWhatRayGets(t *testing.T) {
	t.Parallel()
	h := newCluster(
		t,
	).host("head", headRole, someEnv).
		dress().
		with("HOME=$DIR", "MY_OWN=1", "NCCL_ALGO=Ring", "INVOCATION_ID=x")
	running := h.run()
	running.until("environment: NCCL_DEBUG: NCCL does not know this level")
	running.until(" running")
	running.until("1 node")
	p := h.showEnv("--json")
	require.Equal(t, 0, p.exit())
	var e host.Environment
	require.NoError(t, json.Unmarshal([]byte(p.output()), &e))
	require.Equal(t, h.ip, e.Address)
	want := []string{"HF_TOKEN=hush-hush"}
	for _, v := range e.Values {
		if v.Delivery == "env" && v.Withheld == "" {
			want = append(want, v.Name+"="+v.Value)
		}
	}
	raylet := h.one("raylet")
	got := slices.DeleteFunc(
		slices.Clone(raylet.Env),
		func(entry string) bool { return strings.HasPrefix(entry, "RAY_CLOUD_INSTANCE_ID=raynoded-") },
	)
	require.Len(t, got, len(raylet.Env)-1)
	require.ElementsMatch(t, want, got)
	conf, err := os.ReadFile(h.path("run", "nccl.conf"))
	require.NoError(t, err)
	require.Equal(t, "NCCL_SOCKET_IFNAME=="+loopback(t)+"\n", string(conf))
	require.Contains(t, raylet.Args, "--labels=raynoded.env="+e.Digest)

	p = h.showEnv("--diff", strconv.Itoa(raylet.PID))
	require.Equal(t, 0, p.exit(), p.output())
	require.Equal(t, fmt.Sprintf("Process %d has the environment that it should.\n", raylet.PID), p.output())
	h.write(h.role()+".d/9.toml", `env.NCCL_IB_TIMEOUT = "23"`)
	p = h.showEnv("--diff", strconv.Itoa(raylet.PID))
	require.Equal(t, 1, p.exit())
	require.Equal(t, "NCCL_IB_TIMEOUT: \"22\", and should be \"23\"\n", p.output())
	p = h.showEnv("--json", "--diff", strconv.Itoa(raylet.PID))
	require.Equal(t, 1, p.exit())
	require.JSONEq(
		t,
		fmt.Sprintf(
			`{"pid": %d, "differences": [{"name": "NCCL_IB_TIMEOUT", "text": "\"22\", and should be \"23\""}]}`,
			raylet.PID,
		),
		p.output(),
	)

	running.signal(syscall.SIGTERM)
	h.ends(running, 0, "asked to stop: terminated")
	require.NoFileExists(t, h.path("run", "nccl.conf"))
	require.NotContains(t, running.stderr(), "hush")
}

// A job may send its environment to other hosts: what is right on the head only is for Ray there.
func TestEnv_OfJob(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, "cluster.nodes = 0\n"+job("echo pid $$; env; echo --; sleep 1000"))
	p := h.run()
	p.until("--")
	const gloo = "GLOO_SOCKET_IFNAME="
	require.NotContains(t, p.stderr(), gloo)
	require.NotContains(t, p.stderr(), "TP_SOCKET_IFNAME=")
	require.NotContains(t, p.stderr(), "NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME=")
	require.Contains(t, p.said, h.fill("NCCL_CONF_FILE=$DIR/head/run/nccl.conf"))
	require.Contains(t, h.one("raylet").Env, gloo+loopback(t))
	shown := h.showEnv()
	require.Equal(t, 0, shown.exit())
	require.Contains(
		t, columns(shown.output()),
		h.fill("GLOO_SOCKET_IFNAME|"+loopback(t)+"|env|derived: netdev of node ip $IP (for Ray, not for [job])\n"),
	)
	found := regexp.MustCompile(`(?m)^pid (\d+)$`).FindStringSubmatch(p.stderr())
	require.Len(t, found, 2)
	diff := h.showEnv("--diff", found[1])
	require.Equal(t, 0, diff.exit(), diff.output())
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}

func TestEnv_Cluster(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	p := c.host("early", workerRole).showEnv("--cluster")
	require.Equal(t, 69, p.exit())
	c.headless()
	c.node("gpu-001", 8, "raynoded.env=1a2b3c4d")
	c.node("gpu-002", 8, "raynoded.env=1a2b3c4d")
	h := c.host("late", workerRole)
	p = h.showEnv("--cluster")
	require.Equal(t, 0, p.exit())
	require.Equal(t, "gpu-001  1a2b3c4d\ngpu-002  1a2b3c4d\n2 of 2 nodes have the same environment\n", p.output())
	c.node("gpu-003", 8, "raynoded.env=99999999")
	c.node("gpu-004", 8, "")
	p = h.showEnv("--cluster")
	require.Equal(t, 1, p.exit())
	require.Equal(t, "gpu-001  1a2b3c4d\ngpu-002  1a2b3c4d\ngpu-003  99999999  differs\ngpu-004  none      differs\n"+
		"2 of 4 nodes have the same environment\n", p.output())
	p = h.showEnv("--cluster", "--json")
	require.Equal(t, 1, p.exit())
	require.JSONEq(t, `{"common": "1a2b3c4d", "nodes": [
		{"name": "gpu-001", "digest": "1a2b3c4d", "differs": false},
		{"name": "gpu-002", "digest": "1a2b3c4d", "differs": false},
		{"name": "gpu-003", "digest": "99999999", "differs": true},
		{"name": "gpu-004", "digest": "", "differs": true}]}`, p.output())
}

func TestEnv_Refusals(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	cases := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--diff", "0"}, 64, "raynoded: wrong usage: --diff must be the number of a process"},
		{
			[]string{"--diff", "4194305"}, 64,
			"raynoded: wrong usage: --diff: cannot read the environment of process 4194305: open /proc/4194305/environ: no " +
				"such file or directory",
		},
		{[]string{"--diff", "1", "--cluster"}, 64, "raynoded: wrong usage: --diff and --cluster do not go together"},
		{[]string{"more"}, 64, `raynoded: wrong usage: raynoded env takes no argument, got "more" (--help shows the usage)`},
	}
	for _, c := range cases {
		p := h.showEnv(c.args...)
		require.Equal(t, c.code, p.exit())
		require.Equal(t, c.want, p.stderr())
		require.Empty(t, p.output())
	}
	h = newCluster(t).host("worker", workerRole, "node.interface = \"none0\"")
	p := h.showEnv()
	require.Equal(t, 0, p.exit())
	require.Contains(
		t, p.output(),
		"\nwarning: this node's address is not known, so nothing is derived from it: this host is not fit: "+
			"node.interface: this host has no interface none0\n",
	)
}

// Where nothing can be derived, everything derived would differ.
func TestEnv_DiffWithoutAddress(t *testing.T) {
	t.Parallel()
	const noHead = "cluster.head = \"" + noName + ":6379\"\n"
	cases := []struct {
		name, more string
		code       int
		reason     string
	}{
		{
			name: "no such interface", more: "node.interface = \"none0\"", code: 71,
			reason: "this host is not fit: node.interface: this host has no interface none0",
		},
		{
			name: "unknown head", more: noHead, code: 69,
			reason: "the head cannot be reached: cannot resolve the name " + noName,
		},
		{
			name: "unknown head, undecided", more: "role = \"auto\"\n" + noHead, code: 69,
			reason: "the head cannot be reached: cannot resolve the name " + noName,
		},
		{
			name: "a head that nobody knows",
			more: "role = \"head\"\n" + noHead,
			code: 71,
			reason: "this host is not fit: cluster.head: cannot resolve the name " + noName +
				": a head must know its own address: mend the name or set node.ip",
		},
		{
			name: "not launched", more: "role = \"auto\"\ncluster.auto = { rank = \"RANK\", nodes = \"NODES\", head_host = " +
				"\"HEAD_HOST\" }\n", code: 78,
			reason: "the role cannot be decided: cluster.auto.rank: the variable RANK is not set: the launcher must set it\n" +
				"the role cannot be decided: cluster.auto.nodes: the variable NODES is not set: the launcher must set it\n" +
				"the role cannot be decided: cluster.auto.head_host: the variable HEAD_HOST is not set: the launcher must set it",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole, c.more)
			p := h.showEnv("--diff", strconv.Itoa(os.Getpid()))
			require.Equal(t, c.code, p.exit(), p.stderr())
			require.Equal(
				t, "raynoded: cannot compare: this node's address is not known, so nothing is derived from it: "+c.reason,
				p.stderr(),
			)
			require.Empty(t, p.output())
		})
	}
	p := newCluster(t).host("worker", workerRole, "role = \"auto\"\n", noHead).showEnv("--cluster")
	require.Equal(t, 69, p.exit())
	require.Equal(t, "raynoded: the head cannot be reached: cannot resolve the name "+noName, p.stderr())
}
