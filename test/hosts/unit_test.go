//go:build systemd

package hosts

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestHost_Refusals is what systemd makes of nodes that cannot be: one clear line each, and nothing
// started.
func TestHost_Refusals(t *testing.T) {
	t.Parallel()
	failed := host.State{"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "NRestarts": "0"}
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			h := host.Boot(t, suite, "a")[0]
			h.Put(t, host.RolePath, host.LoneWorker, "644")
			for _, c := range []struct {
				name, more, says string
				want             host.State
			}{
				{
					name: "wrong role", more: "watchdog.silent = 3\n",
					says: host.RolePath + ".d/case.toml:1:19: watchdog.silent: must be",
					want: failed.With("ExecMainStatus", "78"),
				}, {
					name: "no Ray", more: "ray.bin = \"/opt/nothing\"\n", says: "ray.bin: ",
					want: failed.With("ExecMainStatus", "71"),
				}, {
					name: "no token", more: "auth.mode = \"token\"\n", says: "auth.token_file: ",
					want: failed.With("ExecMainStatus", "71"),
				}, {
					name: "no head", more: "cluster.join_timeout = \"1s\"\n", says: "within cluster.join_timeout (1s): ",
					want: host.State{
						"ActiveState": "activating", "SubState": "auto-restart*", "Result": "exit-code", "ExecMainStatus": "69",
					},
				},
			} {
				t.Run(c.name, func(t *testing.T) {
					h.LayOver(t, "case", c.more)
					started := h.Run(t, "systemctl start "+host.Unit)
					require.Equal(t, 1, started.Code)
					h.RequireState(t, host.Unit, c.want)
					h.AwaitLog(t, c.says)
					h.RequireNothingOf(t, host.Unit)
					h.Sh(t, "systemctl stop "+host.Unit+" && systemctl reset-failed "+host.Unit)
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
			h := host.Boot(t, suite, "a")[0]
			h.Put(t, host.RolePath, host.LoneWorker, "644")
			h.Sh(t, "systemctl start --no-block "+host.Unit)
			h.Await(t, host.Unit, host.Waiting.With("StatusText", "waiting: *connection refused*"))
			h.Sh(t, "kill -TERM "+h.MainPID(t, host.Unit))
			h.Await(t, host.Unit, host.Down.With("NRestarts", "0"))
			h.RequireNothingOf(t, host.Unit)
			h.AwaitLog(t, "ended: asked to stop: terminated\n")

			h.Sh(t, "systemctl start --no-block "+host.Unit)
			h.Await(t, host.Unit, host.Waiting.With("StatusText", "waiting: *"))
			h.Sh(t, "systemctl stop "+host.Unit)
			h.RequireState(t, host.Unit, host.Down)
		})
	}
}

// TestHost_Crash kills and stops raynoded itself: systemd ends what it leaves and starts it anew.
func TestHost_Crash(t *testing.T) {
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			h := host.Boot(t, suite, "a")[0]
			h.Put(t, host.RolePath, host.LoneHead, "644")
			h.DropIn(t, host.Unit, "quick", "[Service]\nRestartSec=1s\nWatchdogSec=6s\n")
			h.Sh(t, "systemctl start "+host.Unit)
			for _, c := range []struct{ signal, says, restarts string }{
				{"KILL", "Main process exited, code=killed, status=9/KILL", "1"},
				{"STOP", "Watchdog timeout (limit 6s)!", "2"},
			} {
				t.Run("SIG"+c.signal, func(t *testing.T) {
					before := h.ProcsIn(t, host.Unit)
					h.ProcIn(t, host.Unit, "raylet")
					began := host.Clock(t)
					h.Sh(t, fmt.Sprintf("kill -%s %s", c.signal, h.MainPID(t, host.Unit)))
					h.Await(t, host.Unit, host.Up.With("NRestarts", c.restarts).With("StatusText", "running: *"))
					t.Logf("%s: active again after %s", c.signal, h.Since(t, began, host.Unit, "ActiveEnter"))
					host.RequireGone(t, h, before)
					h.AwaitLog(t, c.says)
				})
			}
			h.Sh(t, "systemctl stop "+host.Unit)
			h.RequireState(t, host.Unit, host.Down)
			h.RequireNothingOf(t, host.Unit)
		})
	}
}

// TestHost_Instances runs two heads on one host.
func TestHost_Instances(t *testing.T) {
	h := host.Boot(t, "trixie", "a")[0]
	h.Put(t, "/etc/raynoded/a.toml", host.LoneHead, "644")
	h.Put(t, "/etc/raynoded/b.toml", host.LoneHead, "644")
	h.Put(t, "/etc/raynoded/a.toml.d/ports.toml", "ray.ports = { worker_min = 20000, worker_max = 20999 }\n", "644")
	h.Put(t, "/etc/raynoded/b.toml.d/ports.toml", `cluster.head = "10.77.0.1:6380"
ray.ports = { client_server = 10011, dashboard_agent = 52366, worker_min = 21000, worker_max = 21999 }
`, "644")
	const a, b = "raynoded@a.service", "raynoded@b.service"
	h.Sh(t, "systemctl start "+a+" "+b)
	for instance, port := range map[string]string{"a": "6379", "b": "6380"} {
		u := "raynoded@" + instance + ".service"
		h.Await(t, u, host.Up.With("StatusText", "running: head at 10.77.0.1:"+port+"; 1 node"))
		h.ProcIn(t, u, "raylet")
		h.ProcIn(t, u, "gcs_server")
		require.Equal(
			t, "RAY_ADDRESS=10.77.0.1:"+port+"\nRAY_TMPDIR=/var/lib/raynoded/"+instance+"/ray\nRAY_AUTH_MODE=disabled",
			h.Sh(t, "grep -v '^#' /run/raynoded/"+instance+"/ray.env"),
		)
		require.Equal(t, "1 node; here: a", h.Sh(t, "raynoded wait --role /etc/raynoded/"+instance+".toml"))
		require.Zero(t, h.Program(t, "raynoded", instance, "where.py").Wait(t, lab.Patience))
	}

	raylet := h.ProcIn(t, b, "raylet")
	h.Sh(t, "systemctl stop "+a)
	h.RequireState(t, a, host.Down)
	h.RequireNothingOf(t, a)
	h.RequireState(t, b, host.Up.With("StatusText", "running: *"))
	require.Equal(t, raylet.Pid, h.ProcIn(t, b, "raylet").Pid)
	require.Zero(t, h.Program(t, "raynoded", "b", "where.py").Wait(t, lab.Patience))

	// The other instance's name must not keep this one from coming back, nor what is left of its
	// session.
	h.Sh(t, "systemctl start "+a)
	h.Sh(t, "systemctl stop "+a+" "+b)
	for _, u := range []string{a, b} {
		h.RequireState(t, u, host.Down)
		h.RequireNothingOf(t, u)
	}

	h.Sh(t, "systemctl enable "+a)
	require.Contains(t, h.Sh(t, "cd /etc/raynoded && raynoded check a.toml"), a+" starts at boot, but the role is per-job")
	h.Sh(t, "systemctl disable "+a)

	h.Put(t, host.RolePath, host.LoneHead, "644")
	require.Contains(
		t, h.Run(t, "systemctl start raynoded@role").Stderr, "Assertion failed on job for raynoded@role.service.",
	)
	h.Sh(t, "rm "+host.RolePath)

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
	h := host.Boot(t, "bookworm", "a")[0]
	h.Put(t, host.RolePath, host.LoneHead, "644")
	h.LayOver(t, "token", "auth.mode = \"token\"\n")
	h.Put(t, "/etc/raynoded/ray-token", host.Token+"\n", "600")
	drop := func(name string) {
		h.Sh(t, "cp /usr/share/raynoded/examples/"+name+" /etc/systemd/system/raynoded.service.d/ && systemctl daemon-reload")
	}
	h.Sh(t, "mkdir /etc/systemd/system/raynoded.service.d")
	drop("token.conf")

	drop("hardened-head.conf")
	h.Sh(t, "systemctl start "+host.Unit)
	h.RequireState(
		t, host.Unit,
		host.Up.With("StatusText", "running: *").With("ProtectSystem", "strict").With("MemoryDenyWriteExecute", "yes"),
	)
	require.Zero(t, h.Program(t, "raynoded", "role", "where.py").Wait(t, lab.Patience))
	h.Sh(t, "systemctl stop "+host.Unit)
	h.RequireState(t, host.Unit, host.Down)

	h.Sh(t, "rm /etc/systemd/system/raynoded.service.d/hardened-head.conf")
	drop("compat.conf")
	drop("limits.conf")
	h.Sh(t, "systemctl start "+host.Unit)
	h.RequireState(
		t, host.Unit,
		host.Up.With("StatusText", "running: *").With("NoNewPrivileges", "no").With("ProtectSystem", "no").
			With("CPUWeight", "50"),
	)
	require.Equal(t, "0", h.Sh(t, "awk '/^NoNewPrivs:/ { print $2 }' /proc/"+h.MainPID(t, host.Unit)+"/status"))
	require.Zero(t, h.Program(t, "raynoded", "role", "where.py").Wait(t, lab.Patience))
	h.Sh(t, "systemctl stop "+host.Unit)
	h.RequireState(t, host.Unit, host.Down)
	h.RequireNothingOf(t, host.Unit)
}
