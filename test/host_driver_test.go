//go:build systemd

package test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// training is a program that finds the cluster by ray.env and never ends.
const training = `
import ray, time
ray.init(log_to_driver=False)
print("trains on", len([n for n in ray.nodes() if n["Alive"]]), "nodes", flush=True)
while True:
    time.sleep(1)
`

// TestHost_Drivers finds the cluster from outside of the unit, as other units and people do.
func TestHost_Drivers(t *testing.T) {
	p := bootPair(t, "bookworm")
	for _, h := range []*installed{p.head, p.worker} {
		// The example as it is shipped, but for the size of the cluster.
		h.Put(t, "/srv/training/train.py", training, "644")
		h.Sh(t, `ln -sf python3 /opt/ray/bin/python
			sed 's/--nodes 4 --gpus 32/--nodes 2/' \
				/usr/share/raynoded/examples/training.service >/etc/systemd/system/training.service
			systemctl daemon-reload`)
	}
	const run = "training.service"

	t.Run("a training unit lives and dies with the node", func(t *testing.T) {
		for _, h := range []*installed{p.head, p.worker} {
			t.Run(h.Name, func(t *testing.T) {
				h.requireIs(t, run, is{"BindsTo": unit})
				trains := h.Start(t, "systemctl", "start", run) // starts raynoded, and waits for the other node
				other := p.head
				if h == p.head {
					other = p.worker
					h.await(t, run, is{"ActiveState": "activating", "SubState": "start-pre"})
				}
				other.Sh(t, "systemctl start "+unit)
				require.Zero(t, trains.Wait(t, patience), h.Journal(t, "--unit="+run, "--output=cat"))
				h.requireIs(t, unit, up)
				h.requireIs(t, run, up)
				lab.Until(t, patience, "it trains", func() bool {
					return strings.Contains(h.Journal(t, "--unit="+run, "--output=cat"), "trains on 2 nodes\n")
				})
				h.Sh(t, "systemctl stop "+unit)
				h.requireIs(t, unit, down)
				require.Empty(t, h.in(t, run))
				h.requireIs(t, run, is{"ActiveState": "inactive"})
			})
			p.stopBoth(t)
		}
	})

	t.Run("it ends with a lost head, too", func(t *testing.T) {
		p.startBoth(t)
		p.worker.Sh(t, "systemctl start "+run)
		p.head.Sh(t, "systemctl kill --signal=KILL --kill-whom=all "+unit)
		p.worker.await(t, unit, down)
		lab.Until(t, patience, "the training has ended", func() bool { return len(p.worker.in(t, run)) == 0 })
		p.worker.requireIs(t, run, is{"ActiveState": "inactive"})
	})

	t.Run("an interactive driver of the unit's user", func(t *testing.T) {
		p.startBoth(t)
		for _, h := range []*installed{p.head, p.worker} {
			driver := h.program(t, "raynoded", "role", "where.py")
			require.Equal(t, "on a b", says(t, driver, "ran"))
			require.Zero(t, driver.Wait(t, patience))
		}
	})

	t.Run("the gate, as everybody who may read the token", func(t *testing.T) {
		p.startBoth(t)
		for _, h := range []*installed{p.head, p.worker} {
			for _, user := range []string{"root", "raynoded"} {
				got := h.Run(t, "set -a; . /run/raynoded/role/ray.env; runuser -u "+user+" -- raynoded wait --timeout 90s")
				require.Zero(t, got.Code, "on %s as %s: %s", h.Name, user, got.Stderr)
				require.Equal(t, "2 of 2 nodes; here: a, b\n", got.Stdout)
			}
		}
	})

	t.Run("a driver of somebody else", func(t *testing.T) {
		p.startBoth(t)
		driver := p.worker.program(t, "nobody", "role", "where.py")
		require.NotZero(t, driver.Wait(t, patience))
		said := strings.Split(strings.TrimSpace(driver.Output()), "\n")
		t.Logf("Ray says: %s", said[len(said)-1])
	})

	t.Run("the unit of a person", func(t *testing.T) {
		p.stopBoth(t)
		p.head.Sh(t, "useradd alice && chgrp alice "+tokenPath)
		p.worker.Sh(t, "useradd alice")
		for _, h := range []*installed{p.head, p.worker} {
			h.Sh(t, "install -d -o alice -g alice /home/alice")
			h.dropIn(t, unit, "user", "[Service]\nUser=alice\n")
		}
		p.startBoth(t)
		for _, h := range []*installed{p.head, p.worker} {
			h.requireIs(t, unit, up.with("User", "alice"))
			require.Equal(t, "alice alice", h.Sh(t, "stat -c '%U %G' /var/lib/raynoded/role"))
			raylet := h.one(t, unit, "raylet")
			require.Equal(t, "alice", h.Sh(t, "ps -o user= -p "+strings.Fields(raylet.String())[0]))
			driver := h.program(t, "alice", "role", "where.py")
			require.Equal(t, "on a b", says(t, driver, "ran"))
			require.Zero(t, driver.Wait(t, patience))
		}
		p.stopBoth(t)
		for _, h := range []*installed{p.worker, p.head} {
			h.requireNothingOf(t, unit)
			require.Empty(t, h.Run(t, "pgrep -u alice").Stdout)
		}
	})
}
