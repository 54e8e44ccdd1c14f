//go:build systemd

package faults

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestMatrix_Head is what happens to the head.
func TestMatrix_Head(t *testing.T) {
	runCells(t, slices.Concat(headProcesses(), headDegraded(), headUnit(), headHost(), headName()))
}

const (
	byHand = "asked to stop: terminated"
	// The windows of these cells are shorter than the defaults, and so is the time between two
	// questions.
	often  = "watchdog.check_interval = \"1s\"\n"
	reborn = "head lost: another: another cluster answers in its place: *:6379 is now cluster *, this node joined *"
)

// leaves are the fates of a worker that loses its head: per-job it ends, standing it waits.
func leaves(head outcome, says string, least, most time.Duration) map[way]fates {
	return map[way]fates{
		perJob: {head: head, worker: inactive(says, least, most)},
		stands: {head: head, worker: rewaits(says, least, most)},
	}
}

// followed are the same where the next head is there at once.
func followed(head outcome, says string, least, most time.Duration) map[way]fates {
	want := leaves(head, says, least, most)
	want[stands] = fates{head: head, worker: outcome{state: rejoins, says: says, least: least, most: most}}
	return want
}

// harmless is a fault that neither way makes anything of but a line in the journal.
func harmless(head, worker outcome) map[way]fates {
	return map[way]fates{perJob: {head, worker}, stands: {head, worker}}
}

// headProcesses are the processes without which there is no head.
func headProcesses() []cell {
	gone := func(says string, most time.Duration) outcome { return restarted(70, "Ray failed: "+says, 0, most) }
	return []cell{
		{
			fault: "the head's GCS is killed", core: true,
			do: func(t *testing.T, try *trial) { try.Head.Signal(t, "KILL", "gcs_server") },
			want: leaves(
				gone("gcs_server ended with signal killed", time.Second), "head lost: gone: *", 500*time.Millisecond,
				1500*time.Millisecond,
			),
		}, {
			fault: "the head's GCS is told to end",
			do:    func(t *testing.T, try *trial) { try.Head.Signal(t, "TERM", "gcs_server") },
			want: leaves(
				gone("its own GCS: head lost: gone: *", 1500*time.Millisecond), "head lost: gone: *", 500*time.Millisecond,
				1500*time.Millisecond,
			),
		}, {
			fault: "the head's GCS hangs for longer than stuck (6 s)",
			head:  "watchdog.stuck = \"10s\"\n" + often, worker: "watchdog.stuck = \"6s\"\n" + often,
			do: func(t *testing.T, try *trial) { try.Head.Signal(t, "STOP", "gcs_server") },
			want: leaves(gone("its own GCS: head lost: stuck: reachable, but no answer for 10*", 13*time.Second),
				"head lost: stuck: reachable, but no answer for *", 6*time.Second, 12*time.Second),
		}, {
			fault:  "the head's GCS hangs for longer than silent (4 s), but not than stuck (20 s)",
			worker: "watchdog.silent = \"4s\"\nwatchdog.stuck = \"20s\"\n" + often,
			do: func(t *testing.T, try *trial) {
				try.Head.Signal(t, "STOP", "gcs_server")
				try.doubtFor(t, 6*time.Second)
				try.Head.Signal(t, "CONT", "gcs_server")
			},
			want: harmless(unharmed(), unharmed("the head answers again")),
		}, {
			fault: "the head's raylet is killed",
			do:    func(t *testing.T, try *trial) { try.Head.Signal(t, "KILL", "raylet") },
			want: leaves(
				gone("raylet ended with signal killed*", time.Second), "head lost: gone: *", 500*time.Millisecond, 5*time.Second,
			),
		},
	}
}

// headDegraded are the processes of a head that a training run does not need.
func headDegraded() []cell {
	var cells []cell
	for i, c := range []struct{ what, name, pattern string }{
		{"dashboard", "dashboard", "/dashboard/dashboard.py"},
		{"monitor", "monitor", "/autoscaler/_private/monitor.py"},
		{"client server", "ray_client_server", "ray.util.client.server"},
		{"log monitor", "log_monitor", "/_private/log_monitor.py"},
	} {
		says := "degraded: " + c.name + " ended with signal killed"
		cells = append(cells, cell{
			fault: "the head's " + c.what + " is killed", head: "ray.extra_args = []\n",
			do: func(t *testing.T, try *trial) {
				try.Head.Sh(t, fmt.Sprintf("kill -KILL %d", try.Head.Script(t, c.pattern).Pid))
				running := "running: head of grpo at a.lab:6379; 2 of 2 nodes; "
				try.Head.Await(t, host.Unit, host.Up.With("StatusText", running+says+"*"))
				require.Equal(t, "ran on a b\n", try.runsEverywhere(t))
			},
			want: harmless(unharmed(says+"*"), unharmed()),
		})
		if i > 0 {
			delete(cells[i].want, stands) // the way makes no difference to the head, and less to the worker
		}
	}
	return cells
}

// headUnit is what people do to the head.
func headUnit() []cell {
	restart := func(t *testing.T, try *trial) { try.Head.Sh(t, "systemctl restart "+host.Unit) }
	return []cell{
		{
			fault: "the head's unit is stopped",
			do:    func(t *testing.T, try *trial) { try.Head.Sh(t, "systemctl stop --no-block "+host.Unit) },
			want:  leaves(inactive(byHand, 0, 4*time.Second), "head lost: gone: *", 500*time.Millisecond, 5*time.Second),
		}, {
			fault: "the head's unit is restarted", do: restart,
			want: followed(outcome{state: isBack, says: byHand}, "head lost: gone: *", 500*time.Millisecond, 5*time.Second),
		}, {
			fault: "the head's unit is restarted, and back before refused (30 s) is over", core: true,
			worker: "watchdog.refused = \"30s\"\nwatchdog.check_interval = \"60s\"\n",
			do:     restart,
			want:   followed(outcome{state: isBack, says: byHand}, reborn, 0, 30*time.Second),
		}, {
			fault:  "the head's unit is restarted while its cable is out, and the cable is back before silent (60 s) is over",
			worker: "watchdog.silent = \"60s\"\nwatchdog.check_interval = \"60s\"\n",
			do: func(t *testing.T, try *trial) {
				try.Head.Cut(t, true)
				restart(t, try)
				try.Head.Cut(t, false)
				try.began = host.Clock(t)
			},
			undo: func(t *testing.T, try *trial) { try.Head.Cut(t, false) },
			want: followed(outcome{state: isBack}, reborn, 0, 15*time.Second),
		},
	}
}

// headHost is what happens to the head's host. The driver is on the worker: programs that the test
// runs in a host are no part of any unit, and a host that shuts down waits for them. What starts
// there anew may have the numbers of what was.
func headHost() []cell {
	quick := "watchdog.silent = \"6s\"\n" + often
	return []cell{
		{
			fault: "the head's host is shut down", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.before[try.Head] = snapshot{}
				try.Head.PowerOff(t)
			},
			want: leaves(outcome{state: isOff}, "head lost: *", 500*time.Millisecond, 10*time.Second),
		}, {
			fault: "the head's host loses its power: silent (6 s)", worker: quick,
			do: func(t *testing.T, try *trial) {
				try.before[try.Head] = snapshot{}
				try.Head.Kill(t)
			},
			want: leaves(outcome{state: isOff}, "head lost: silent: nothing comes back for *", 6*time.Second, 12*time.Second),
		}, {
			fault: "the head's host is rebooted",
			prepare: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl enable --quiet "+host.Unit)
				steadily(t, try)
			},
			do: func(t *testing.T, try *trial) {
				try.before[try.Head] = snapshot{}
				try.Head.Reboot(t)
			},
			undo: func(t *testing.T, try *trial) { try.Head.Sh(t, "systemctl disable --quiet "+host.Unit) },
			// Gone, or, if its network goes within 500 ms of its GCS, another one when it has booted.
			want: followed(outcome{state: isBack, says: byHand}, "head lost: *", 500*time.Millisecond, 30*time.Second),
		},
	}
}

// elsewhere is an address of the lab's network that no host has of itself.
const elsewhere = "10.77.0.99"

// headName is what happens to the name of the head, in the /etc/hosts of both.
func headName() []cell {
	return []cell{
		{
			fault:  "the head's name moves to another address, the head does not",
			worker: "watchdog.silent = \"2s\"\nwatchdog.check_interval = \"100ms\"\n",
			do: func(t *testing.T, try *trial) {
				try.rename(t, try.Head.Address.String(), elsewhere)
				time.Sleep(5 * time.Second)
			},
			undo: func(t *testing.T, try *trial) { try.rename(t, elsewhere, try.Head.Address.String()) },
			want: harmless(unharmed(), unharmed()),
		}, {
			fault: "the head's name moves to another address, and the head with it",
			do: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "ip address add "+elsewhere+"/24 dev "+lab.Interface)
				try.rename(t, try.Head.Address.String(), elsewhere)
				try.Head.Sh(t, "systemctl restart "+host.Unit)
				if try.way == stands {
					try.Await(t)
					require.Contains(t, try.Worker.ProcIn(t, host.Unit, "raylet").Args, "--gcs-address="+elsewhere+":6379")
				}
			},
			undo: func(t *testing.T, try *trial) {
				try.rename(t, elsewhere, try.Head.Address.String())
				try.Head.Sh(t, "ip address delete "+elsewhere+"/24 dev "+lab.Interface)
			},
			want: followed(outcome{state: isBack, says: byHand}, "head lost: gone: *", 500*time.Millisecond, 5*time.Second),
		},
	}
}
