//go:build systemd

package hosts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
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
	p := host.BootPair(t, "bookworm")
	for _, h := range []*host.Host{p.Head, p.Worker} {
		// The example as it is shipped, but for the size of the cluster.
		h.Put(t, "/srv/training/train.py", training, "644")
		h.Sh(t, `ln -sf python3 /opt/ray/bin/python
			sed 's/--nodes 4 --gpus 32/--nodes 2/' \
				/usr/share/raynoded/examples/training.service >/etc/systemd/system/training.service
			systemctl daemon-reload`)
	}
	const run = "training.service"

	t.Run("a training unit lives and dies with the node", func(t *testing.T) {
		for _, h := range []*host.Host{p.Head, p.Worker} {
			t.Run(h.Name, func(t *testing.T) {
				h.RequireState(t, run, host.State{"BindsTo": host.Unit})
				trains := h.Start(t, "systemctl", "start", run) // starts raynoded, and waits for the other node
				other := p.Head
				if h == p.Head {
					other = p.Worker
					h.Await(t, run, host.State{"ActiveState": "activating", "SubState": "start-pre"})
				}
				other.Sh(t, "systemctl start "+host.Unit)
				require.Zero(t, trains.Wait(t, lab.Patience), h.Journal(t, "--unit="+run, "--output=cat"))
				h.RequireState(t, host.Unit, host.Up)
				h.RequireState(t, run, host.Up)
				lab.Until(t, lab.Patience, "it trains", func() bool {
					return strings.Contains(h.Journal(t, "--unit="+run, "--output=cat"), "trains on 2 nodes\n")
				})
				h.Sh(t, "systemctl stop "+host.Unit)
				h.RequireState(t, host.Unit, host.Down)
				require.Empty(t, h.ProcsIn(t, run))
				h.RequireState(t, run, host.State{"ActiveState": "inactive"})
			})
			p.StopBoth(t)
		}
	})

	t.Run("it ends with a lost head, too", func(t *testing.T) {
		p.StartBoth(t)
		p.Worker.Sh(t, "systemctl start "+run)
		p.Head.Sh(t, "systemctl kill --signal=KILL --kill-whom=all "+host.Unit)
		p.Worker.Await(t, host.Unit, host.Down)
		lab.Until(t, lab.Patience, "the training has ended", func() bool { return len(p.Worker.ProcsIn(t, run)) == 0 })
		p.Worker.RequireState(t, run, host.State{"ActiveState": "inactive"})
	})

	t.Run("an interactive driver of the unit's user", func(t *testing.T) {
		p.StartBoth(t)
		for _, h := range []*host.Host{p.Head, p.Worker} {
			driver := h.Program(t, "raynoded", "role", "where.py")
			require.Equal(t, "on a b", host.Says(t, driver, "ran"))
			require.Zero(t, driver.Wait(t, lab.Patience))
		}
	})

	t.Run("the gate, as everybody who may read the token", func(t *testing.T) {
		p.StartBoth(t)
		for _, h := range []*host.Host{p.Head, p.Worker} {
			for _, user := range []string{"root", "raynoded"} {
				got := h.Run(t, "set -a; . /run/raynoded/role/ray.env; runuser -u "+user+" -- raynoded wait --timeout 90s")
				require.Zero(t, got.Code, "on %s as %s: %s", h.Name, user, got.Stderr)
				require.Equal(t, "2 of 2 nodes; here: a, b\n", got.Stdout)
			}
		}
	})

	t.Run("a driver of somebody else", func(t *testing.T) {
		p.StartBoth(t)
		driver := p.Worker.Program(t, "nobody", "role", "where.py")
		require.NotZero(t, driver.Wait(t, lab.Patience))
		said := strings.Split(strings.TrimSpace(driver.Output()), "\n")
		t.Logf("Ray says: %s", said[len(said)-1])
	})

	t.Run("the unit of a person", func(t *testing.T) {
		p.StopBoth(t)
		p.Head.Sh(t, "useradd alice && chgrp alice "+host.TokenPath)
		p.Worker.Sh(t, "useradd alice")
		for _, h := range []*host.Host{p.Head, p.Worker} {
			h.Sh(t, "install -d -o alice -g alice /home/alice")
			h.DropIn(t, host.Unit, "user", "[Service]\nUser=alice\n")
		}
		p.StartBoth(t)
		for _, h := range []*host.Host{p.Head, p.Worker} {
			h.RequireState(t, host.Unit, host.Up.With("User", "alice"))
			require.Equal(t, "alice alice", h.Sh(t, "stat -c '%U %G' /var/lib/raynoded/role"))
			raylet := h.ProcIn(t, host.Unit, "raylet")
			require.Equal(t, "alice", h.Sh(t, "ps -o user= -p "+strings.Fields(raylet.String())[0]))
			driver := h.Program(t, "alice", "role", "where.py")
			require.Equal(t, "on a b", host.Says(t, driver, "ran"))
			require.Zero(t, driver.Wait(t, lab.Patience))
		}
		p.StopBoth(t)
		for _, h := range []*host.Host{p.Worker, p.Head} {
			h.RequireNothingOf(t, host.Unit)
			require.Empty(t, h.Run(t, "pgrep -u alice").Stdout)
		}
	})
}
