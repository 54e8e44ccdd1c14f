//go:build systemd

package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// TestHost_Life is the life of a cluster under both systemds, told step by step. Each step leaves
// the hosts in order for the next, and the first two show it from the beginning.
func TestHost_Life(t *testing.T) {
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			p := bootPair(t, suite)
			for _, step := range []struct {
				name string
				do   func(*testing.T, *pair)
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

func waits(t *testing.T, p *pair) {
	p.worker.Sh(t, "systemctl start --no-block "+unit)
	p.worker.await(t, unit, waiting.with("StatusText",
		"waiting: worker of grpo, head a.lab:6379; *connection refused* of 20m*"))
	lab.Until(t, patience, "no Python runs while a worker waits", func() bool {
		procs := p.worker.in(t, unit)
		return len(procs) == 1 && strings.Join(procs[0].Args, " ") == "/usr/bin/raynoded run --role /etc/raynoded/role.toml"
	})
	t.Logf("STATUS: %s", p.worker.Show(t, unit, "StatusText")["StatusText"])
}

func begins(t *testing.T, p *pair) {
	p.worker.Cut(t, true)
	began := clock(t)
	p.head.Sh(t, "systemctl start "+unit)
	t.Logf("the head is active after %s", p.head.since(t, began, unit, "ActiveEnter"))
	p.head.requireIs(t, unit, up)
	p.head.logs(t, "1 of 2 nodes\n")
	p.worker.Cut(t, false)
	p.head.await(t, unit, up.with("StatusText", "running: head of grpo at a.lab:6379; 2 of 2 nodes"))
	p.worker.await(t, unit, up.with("StatusText", "running: worker of grpo, head a.lab:6379"))
	t.Logf("the worker is active after %s", p.worker.since(t, began, unit, "ActiveEnter"))
	p.head.requireIs(t, unit, is{"NRestarts": "0"})
	p.worker.requireIs(t, unit, is{"NRestarts": "0"})
	p.head.one(t, unit, "gcs_server")
	p.worker.one(t, unit, "raylet")
}

func tells(t *testing.T, p *pair) {
	p.startBoth(t)
	for _, h := range []*installed{p.head, p.worker} {
		h.logs(t, "Ray runtime started", "--identifier=ray") // `ray start` returns some time after READY
		require.NotContains(t, h.Journal(t), token)
	}
	var first map[string]string
	entries := p.worker.Journal(t, "--unit="+unit, "PHASE=running", "--output=json")
	require.NoError(t, json.NewDecoder(strings.NewReader(entries)).Decode(&first))
	require.Subset(t, first, map[string]string{
		"MESSAGE": "running", "PHASE": "running", "FROM": "starting", "ROLE": "worker", "INSTANCE": "role",
		"CLUSTER": "grpo", "HEAD": "a.lab:6379", "PRIORITY": "6", "SYSLOG_IDENTIFIER": "raynoded",
	})
}

func restarts(t *testing.T, p *pair) {
	p.startBoth(t)
	before := p.worker.one(t, unit, "raylet")
	began := clock(t)
	p.worker.Sh(t, "systemctl restart "+unit)
	t.Logf("stopped and active again after %s", p.worker.since(t, began, unit, "ActiveEnter"))
	p.worker.requireIs(t, unit, up.with("StatusText", "running: *"))
	p.await(t)
	require.JSONEq(
		t,
		`{"nodes": 2, "nodes_wanted": 2, "gpus": 0, "gpus_wanted": 0, "here": ["a", "b"],
			"missing": [], "left": [], "complete": true}`,
		p.head.Sh(t, "raynoded wait --json"),
	)
	after := p.worker.one(t, unit, "raylet")
	require.NotEqual(t, before.Pid, after.Pid)
	require.Zero(t, p.head.program(t, "raynoded", "role", "where.py").Wait(t, patience))
}

func stops(t *testing.T, p *pair) {
	p.worker.layOver(t, "slow", "stop.grace = \"20s\"\n")
	defer p.worker.Sh(t, "rm "+rolePath+".d/slow.toml")
	p.startBoth(t)
	_, family := p.busy(t)
	began := clock(t)
	p.worker.Sh(t, "systemctl stop "+unit)
	took := p.worker.since(t, began, unit, "InactiveEnter")
	t.Logf("stopped with a busy actor after %s", took)
	require.Less(t, took, 15*time.Second, "who obeys SIGTERM needs no grace")
	p.worker.requireIs(t, unit, down)
	p.worker.requireNothingOf(t, unit, family...)
	p.worker.logs(t, "ended: asked to stop: terminated\n")
}

func stopsDeaf(t *testing.T, p *pair) {
	p.startBoth(t)
	_, family := p.busy(t, "deaf")
	began := clock(t)
	p.worker.Sh(t, "systemctl stop "+unit)
	took := p.worker.since(t, began, unit, "InactiveEnter")
	t.Logf("stopped with an actor that ignores SIGTERM after %s", took)
	require.Less(t, took, 3*time.Second+late(), "3 s of grace")
	p.worker.requireIs(t, unit, down)
	p.worker.requireNothingOf(t, unit, family...)
}

func losesHead(t *testing.T, p *pair) {
	p.startBoth(t)
	_, family := p.busy(t)
	before := p.head.in(t, unit)
	began := clock(t)
	p.head.Sh(t, fmt.Sprintf("kill -KILL %d", p.head.one(t, unit, "gcs_server").Pid))
	p.worker.await(t, unit, down)
	took := p.worker.since(t, began, unit, "InactiveEnter")
	t.Logf("the worker is inactive %s after its head's GCS was killed", took)
	require.Less(t, took, late())
	p.worker.requireNothingOf(t, unit, family...)
	p.worker.logs(t, "ended: head lost: gone: every connection refused for ")

	// To the head it is a failure of its own, after which systemd starts it again.
	p.head.await(t, unit, up.with("NRestarts", "1"))
	requireGone(t, p.head, before)
	p.head.logs(t, "gcs_server ended with signal ")
	p.head.logs(t, "raynoded.service: Main process exited, code=exited, status=70/SOFTWARE\n")
	p.worker.requireIs(t, unit, down)
}

func ends(t *testing.T, p *pair) {
	p.startBoth(t)
	for _, h := range []*installed{p.worker, p.head} {
		began := clock(t)
		h.Sh(t, "systemctl stop "+unit)
		t.Logf("%s has stopped after %s", h.Name, h.since(t, began, unit, "InactiveEnter"))
		h.requireIs(t, unit, down)
		h.requireNothingOf(t, unit)
	}
}
