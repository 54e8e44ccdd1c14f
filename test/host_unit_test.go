//go:build systemd

package test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// loneWorker waits for a head that does not come.
const loneWorker = `role = "worker"
[cluster]
head = "10.77.0.1:6379"
[auth]
mode = "none"
`

// loneHead has no workers.
const loneHead = `role = "head"
[cluster]
head = "10.77.0.1:6379"
[ray]
num_cpus = 1
object_store_memory = "100MB"
extra_args = ["--include-dashboard=false"]
[auth]
mode = "none"
`

// TestHost_Refusals is what systemd makes of nodes that cannot be: one clear line each, and nothing
// started.
func TestHost_Refusals(t *testing.T) {
	t.Parallel()
	failed := is{"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "NRestarts": "0"}
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			h := bootInstalled(t, suite, "a")[0]
			h.Put(t, rolePath, loneWorker, "644")
			for _, c := range []struct {
				name, more, says string
				want             is
			}{
				{
					"wrong role", "watchdog.silent = 3\n",
					rolePath + ".d/case.toml:1:19: watchdog.silent: must be",
					failed.with("ExecMainStatus", "78"),
				}, {
					"no Ray", "ray.bin = \"/opt/nothing\"\n", "ray.bin: ",
					failed.with("ExecMainStatus", "71"),
				}, {
					"no token", "auth.mode = \"token\"\n", "auth.token_file: ",
					failed.with("ExecMainStatus", "71"),
				}, {
					"no head", "cluster.join_timeout = \"1s\"\n", "within cluster.join_timeout (1s): ",
					is{"ActiveState": "activating", "SubState": "auto-restart*", "Result": "exit-code", "ExecMainStatus": "69"},
				},
			} {
				t.Run(c.name, func(t *testing.T) {
					h.layOver(t, "case", c.more)
					started := h.Run(t, "systemctl start "+unit)
					require.Equal(t, 1, started.Code)
					h.requireIs(t, unit, c.want)
					h.logs(t, c.says)
					h.requireNothingOf(t, unit)
					h.Sh(t, "systemctl stop "+unit+" && systemctl reset-failed "+unit)
				})
			}
		})
	}
}

// TestHost_Term ends a node by hand while systemd has not called it started yet: an exit with 0
// would be "protocol".
func TestHost_Term(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			h := bootInstalled(t, suite, "a")[0]
			h.Put(t, rolePath, loneWorker, "644")
			h.Sh(t, "systemctl start --no-block "+unit)
			h.await(t, unit, waiting.with("StatusText", "waiting: *connection refused*"))
			h.Sh(t, "kill -TERM "+h.mainPID(t, unit))
			h.await(t, unit, down.with("NRestarts", "0"))
			h.requireNothingOf(t, unit)
			h.logs(t, "ended: asked to stop: terminated\n")

			h.Sh(t, "systemctl start --no-block "+unit)
			h.await(t, unit, waiting.with("StatusText", "waiting: *"))
			h.Sh(t, "systemctl stop "+unit)
			h.requireIs(t, unit, down)
		})
	}
}

// TestHost_Crash kills and stops raynoded itself: systemd ends what it leaves and starts it anew.
func TestHost_Crash(t *testing.T) {
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			h := bootInstalled(t, suite, "a")[0]
			h.Put(t, rolePath, loneHead, "644")
			h.dropIn(t, unit, "quick", "[Service]\nRestartSec=1s\nWatchdogSec=6s\n")
			h.Sh(t, "systemctl start "+unit)
			for _, c := range []struct{ signal, says, restarts string }{
				{"KILL", "Main process exited, code=killed, status=9/KILL", "1"},
				{"STOP", "Watchdog timeout (limit 6s)!", "2"},
			} {
				t.Run("SIG"+c.signal, func(t *testing.T) {
					before := h.in(t, unit)
					h.one(t, unit, "raylet")
					began := clock(t)
					h.Sh(t, fmt.Sprintf("kill -%s %s", c.signal, h.mainPID(t, unit)))
					h.await(t, unit, up.with("NRestarts", c.restarts).with("StatusText", "running: *"))
					t.Logf("%s: active again after %s", c.signal, h.since(t, began, unit, "ActiveEnter"))
					requireGone(t, h, before)
					h.logs(t, c.says)
				})
			}
			h.Sh(t, "systemctl stop "+unit)
			h.requireIs(t, unit, down)
			h.requireNothingOf(t, unit)
		})
	}
}

// requireGone looks for processes by their numbers.
func requireGone(t *testing.T, h *installed, before []lab.Proc) {
	t.Helper()
	require.NotEmpty(t, before)
	now := map[int]lab.Proc{}
	for _, p := range h.Procs(t) {
		now[p.Pid] = p
	}
	for _, p := range before {
		require.NotContains(t, now, p.Pid, "%s was %s", now[p.Pid], p)
	}
}

// TestHost_Instances runs two heads on one host.
func TestHost_Instances(t *testing.T) {
	h := bootInstalled(t, "trixie", "a")[0]
	h.Put(t, "/etc/raynoded/a.toml", loneHead, "644")
	h.Put(t, "/etc/raynoded/b.toml", loneHead, "644")
	h.Put(t, "/etc/raynoded/a.toml.d/ports.toml", "ray.ports = { worker_min = 20000, worker_max = 20999 }\n", "644")
	h.Put(t, "/etc/raynoded/b.toml.d/ports.toml", `cluster.head = "10.77.0.1:6380"
ray.ports = { client_server = 10011, dashboard_agent = 52366, worker_min = 21000, worker_max = 21999 }
`, "644")
	const a, b = "raynoded@a.service", "raynoded@b.service"
	h.Sh(t, "systemctl start "+a+" "+b)
	for instance, port := range map[string]string{"a": "6379", "b": "6380"} {
		u := "raynoded@" + instance + ".service"
		h.await(t, u, up.with("StatusText", "running: head at 10.77.0.1:"+port+"; 1 node"))
		h.one(t, u, "raylet")
		h.one(t, u, "gcs_server")
		require.Equal(
			t, "RAY_ADDRESS=10.77.0.1:"+port+"\nRAY_TMPDIR=/var/lib/raynoded/"+instance+"/ray\nRAY_AUTH_MODE=disabled",
			h.Sh(t, "grep -v '^#' /run/raynoded/"+instance+"/ray.env"),
		)
		require.Equal(t, "1 node; here: a", h.Sh(t, "raynoded wait --role /etc/raynoded/"+instance+".toml"))
		require.Zero(t, h.program(t, "raynoded", instance, "where.py").Wait(t, patience))
	}

	raylet := h.one(t, b, "raylet")
	h.Sh(t, "systemctl stop "+a)
	h.requireIs(t, a, down)
	h.requireNothingOf(t, a)
	h.requireIs(t, b, up.with("StatusText", "running: *"))
	require.Equal(t, raylet.Pid, h.one(t, b, "raylet").Pid)
	require.Zero(t, h.program(t, "raynoded", "b", "where.py").Wait(t, patience))

	// The other instance's name must not keep this one from coming back, nor what is left of its
	// session.
	h.Sh(t, "systemctl start "+a)
	h.Sh(t, "systemctl stop "+a+" "+b)
	for _, u := range []string{a, b} {
		h.requireIs(t, u, down)
		h.requireNothingOf(t, u)
	}

	h.Sh(t, "systemctl enable "+a)
	require.Contains(t, h.Sh(t, "cd /etc/raynoded && raynoded check a.toml"), a+" starts at boot, but the role is per-job")
	h.Sh(t, "systemctl disable "+a)

	h.Put(t, rolePath, loneHead, "644")
	require.Contains(
		t, h.Run(t, "systemctl start raynoded@role").Stderr, "Assertion failed on job for raynoded@role.service.",
	)
	h.Sh(t, "rm "+rolePath)

	// What the unit keeps is found from everywhere.
	h.Sh(t, "mkdir /var/lib/raynoded/a/gcs && chown raynoded: /var/lib/raynoded/a/gcs")
	const forget = "raynoded forget --yes --role /etc/raynoded/a.toml"
	got := h.Run(t, "runuser -u nobody -- "+forget)
	require.Equal(t, 71, got.Code)
	require.Contains(t, got.Stderr, "/var/lib/raynoded/a/lock: permission denied")
	require.Equal(t, "Forgotten: /var/lib/raynoded/a/gcs.", h.Sh(t, "STATE_DIRECTORY=/var/lib/other "+forget))
}

// TestHost_Examples starts a head with the drop-ins that are shipped.
func TestHost_Examples(t *testing.T) {
	h := bootInstalled(t, "bookworm", "a")[0]
	h.Put(t, rolePath, loneHead, "644")
	h.layOver(t, "token", "auth.mode = \"token\"\n")
	h.Put(t, "/etc/raynoded/ray-token", token+"\n", "600")
	drop := func(name string) {
		h.Sh(t, "cp /usr/share/raynoded/examples/"+name+" /etc/systemd/system/raynoded.service.d/ && systemctl daemon-reload")
	}
	h.Sh(t, "mkdir /etc/systemd/system/raynoded.service.d")
	drop("token.conf")

	drop("hardened-head.conf")
	h.Sh(t, "systemctl start "+unit)
	h.requireIs(
		t, unit, up.with("StatusText", "running: *").with("ProtectSystem", "strict").with("MemoryDenyWriteExecute", "yes"),
	)
	require.Zero(t, h.program(t, "raynoded", "role", "where.py").Wait(t, patience))
	h.Sh(t, "systemctl stop "+unit)
	h.requireIs(t, unit, down)

	h.Sh(t, "rm /etc/systemd/system/raynoded.service.d/hardened-head.conf")
	drop("compat.conf")
	drop("limits.conf")
	h.Sh(t, "systemctl start "+unit)
	h.requireIs(
		t, unit,
		up.with("StatusText", "running: *").with("NoNewPrivileges", "no").with("ProtectSystem", "no").with("CPUWeight", "50"),
	)
	require.Equal(t, "0", h.Sh(t, "awk '/^NoNewPrivs:/ { print $2 }' /proc/"+h.mainPID(t, unit)+"/status"))
	require.Zero(t, h.program(t, "raynoded", "role", "where.py").Wait(t, patience))
	h.Sh(t, "systemctl stop "+unit)
	h.requireIs(t, unit, down)
	h.requireNothingOf(t, unit)
}
