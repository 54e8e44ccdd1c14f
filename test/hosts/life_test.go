//go:build systemd

package hosts

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestHost_Life is the life of a cluster under both systemds, told step by step. Each step leaves
// the hosts in order for the next, and the first two show it from the beginning.
func TestHost_Life(t *testing.T) {
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			p := host.BootPair(t, suite)
			for _, step := range []struct {
				name string
				do   func(*testing.T, *host.Pair)
			}{
				{"the worker waits", waits},
				{"head and worker start", begins},
				{"the journal tells", tells},
				{"the worker is restarted", restarts},
				{"the worker is stopped", stops},
				{"the worker is stopped and deaf", stopsDeaf},
				{"the GCS is killed", losesHead},
				{"both are stopped", ends},
			} {
				t.Run(step.name, func(t *testing.T) { step.do(t, p) })
			}
		})
	}
}

func waits(t *testing.T, p *host.Pair) {
	p.Worker.Sh(t, "systemctl start --no-block "+host.Unit)
	p.Worker.Await(t, host.Unit, host.Waiting.With("StatusText",
		"waiting: worker of grpo, head a.lab:6379; *connection refused* of 20m*"))
	lab.Until(t, lab.Patience, "no Python runs while a worker waits", func() bool {
		procs := p.Worker.ProcsIn(t, host.Unit)
		return len(procs) == 1 && strings.Join(procs[0].Args, " ") == "/usr/bin/raynoded run --role /etc/raynoded/role.toml"
	})
	t.Logf("STATUS: %s", p.Worker.Show(t, host.Unit, "StatusText")["StatusText"])
}

func begins(t *testing.T, p *host.Pair) {
	p.Worker.Cut(t, true)
	began := host.Clock(t)
	p.Head.Sh(t, "systemctl start "+host.Unit)
	t.Logf("the head is active after %s", p.Head.Since(t, began, host.Unit, "ActiveEnter"))
	p.Head.RequireState(t, host.Unit, host.Up)
	p.Head.AwaitLog(t, "1 of 2 nodes\n")
	p.Worker.Cut(t, false)
	p.Head.Await(t, host.Unit, host.Up.With("StatusText", "running: head of grpo at a.lab:6379; 2 of 2 nodes"))
	p.Worker.Await(t, host.Unit, host.Up.With("StatusText", "running: worker of grpo, head a.lab:6379"))
	t.Logf("the worker is active after %s", p.Worker.Since(t, began, host.Unit, "ActiveEnter"))
	p.Head.RequireState(t, host.Unit, host.State{"NRestarts": "0"})
	p.Worker.RequireState(t, host.Unit, host.State{"NRestarts": "0"})
	p.Head.ProcIn(t, host.Unit, "gcs_server")
	p.Worker.ProcIn(t, host.Unit, "raylet")
}

func tells(t *testing.T, p *host.Pair) {
	p.StartBoth(t)
	for _, h := range []*host.Host{p.Head, p.Worker} {
		h.AwaitLog(t, "Ray runtime started", "--identifier=ray") // `ray start` returns some time after READY
		require.NotContains(t, h.Journal(t), host.Token)
	}
	var first map[string]string
	entries := p.Worker.Journal(t, "--unit="+host.Unit, "PHASE=running", "--output=json")
	require.NoError(t, json.NewDecoder(strings.NewReader(entries)).Decode(&first))
	require.Subset(t, first, map[string]string{
		"MESSAGE": "running", "PHASE": "running", "FROM": "starting", "ROLE": "worker", "INSTANCE": "role",
		"CLUSTER": "grpo", "HEAD": "a.lab:6379", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "raynoded",
	})
}

func restarts(t *testing.T, p *host.Pair) {
	p.StartBoth(t)
	before := p.Worker.ProcIn(t, host.Unit, "raylet")
	began := host.Clock(t)
	p.Worker.Sh(t, "systemctl restart "+host.Unit)
	t.Logf("stopped and active again after %s", p.Worker.Since(t, began, host.Unit, "ActiveEnter"))
	p.Worker.RequireState(t, host.Unit, host.Up.With("StatusText", "running: *"))
	p.Await(t)
	require.JSONEq(
		t,
		`{"nodes": 2, "nodes_wanted": 2, "gpus": 0, "gpus_wanted": 0, "here": ["a", "b"],
			"missing": [], "left": [], "complete": true}`,
		p.Head.Sh(t, "raynoded wait --json"),
	)
	after := p.Worker.ProcIn(t, host.Unit, "raylet")
	require.NotEqual(t, before.Pid, after.Pid)
	require.Zero(t, p.Head.Program(t, "raynoded", "role", "where.py").Wait(t, lab.Patience))
}

func stops(t *testing.T, p *host.Pair) {
	p.Worker.LayOver(t, "slow", "stop.grace = \"20s\"\n")
	defer p.Worker.Sh(t, "rm "+host.RolePath+".d/slow.toml")
	p.StartBoth(t)
	_, family := p.Busy(t)
	began := host.Clock(t)
	p.Worker.Sh(t, "systemctl stop "+host.Unit)
	took := p.Worker.Since(t, began, host.Unit, "InactiveEnter")
	t.Logf("stopped with a busy actor after %s", took)
	require.Less(t, took, 15*time.Second, "who obeys SIGTERM needs no grace")
	p.Worker.RequireState(t, host.Unit, host.Down)
	p.Worker.RequireNothingOf(t, host.Unit, family...)
	p.Worker.AwaitLog(t, "ended: asked to stop: terminated\n")
}

func stopsDeaf(t *testing.T, p *host.Pair) {
	p.StartBoth(t)
	_, family := p.Busy(t, "deaf")
	began := host.Clock(t)
	p.Worker.Sh(t, "systemctl stop "+host.Unit)
	took := p.Worker.Since(t, began, host.Unit, "InactiveEnter")
	t.Logf("stopped with an actor that ignores SIGTERM after %s", took)
	require.Less(t, took, 3*time.Second+lab.Late(), "3 s of grace")
	p.Worker.RequireState(t, host.Unit, host.Down)
	p.Worker.RequireNothingOf(t, host.Unit, family...)
}

func losesHead(t *testing.T, p *host.Pair) {
	p.StartBoth(t)
	_, family := p.Busy(t)
	before := p.Head.ProcsIn(t, host.Unit)
	began := host.Clock(t)
	p.Head.Sh(t, fmt.Sprintf("kill -KILL %d", p.Head.ProcIn(t, host.Unit, "gcs_server").Pid))
	p.Worker.Await(t, host.Unit, host.Down)
	took := p.Worker.Since(t, began, host.Unit, "InactiveEnter")
	t.Logf("the worker is inactive %s after its head's GCS was killed", took)
	require.Less(t, took, lab.Late())
	p.Worker.RequireNothingOf(t, host.Unit, family...)
	p.Worker.AwaitLog(t, "ended: head lost: gone: every connection refused for ")

	// To the head it is a failure of its own, after which systemd starts it again.
	p.Head.Await(t, host.Unit, host.Up.With("NRestarts", "1"))
	host.RequireGone(t, p.Head, before)
	p.Head.AwaitLog(t, "gcs_server ended with signal ")
	p.Head.AwaitLog(t, "raynoded.service: Main process exited, code=exited, status=70/SOFTWARE\n")
	p.Worker.RequireState(t, host.Unit, host.Down)
}

func ends(t *testing.T, p *host.Pair) {
	p.StartBoth(t)
	for _, h := range []*host.Host{p.Worker, p.Head} {
		began := host.Clock(t)
		h.Sh(t, "systemctl stop "+host.Unit)
		t.Logf("%s has stopped after %s", h.Name, h.Since(t, began, host.Unit, "InactiveEnter"))
		h.RequireState(t, host.Unit, host.Down)
		h.RequireNothingOf(t, host.Unit)
	}
}
