//go:build systemd

package faults

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

const ms = time.Millisecond

// TestMatrix_Host is what happens to a host, and to raynoded itself.
func TestMatrix_Host(t *testing.T) {
	runCells(t, slices.Concat(daemonCells(), descriptorCells(), diskCells(), clockCells(), suspendCells()))
}

// daemonCells are raynoded's own end, which systemd sees.
func daemonCells() []cell {
	killed := restarted(9, "raynoded.service: Main process exited, code=killed, status=9/KILL", 0, time.Second)
	timeout := restarted(6, "raynoded.service: Watchdog timeout (limit 3s)!", ms, 4*time.Second)
	kill := func(t *testing.T, h *host.Host, signal string) { h.Sh(t, "kill -"+signal+" "+h.MainPID(t, host.Unit)) }
	return []cell{
		{
			fault: "a worker's raynoded is killed", core: true,
			do:   func(t *testing.T, try *trial) { kill(t, try.Worker, "KILL") },
			undo: rejoined,
			want: harmless(unharmed(), killed),
		}, {
			fault: "the head's raynoded is killed",
			do:    func(t *testing.T, try *trial) { kill(t, try.Head, "KILL") },
			want:  leaves(killed, "head lost: gone: *", 500*ms, 2*time.Second),
		}, {
			fault: "a worker's raynoded hangs (SIGSTOP) for longer than WatchdogSec (3 s)",
			prepare: func(t *testing.T, try *trial) {
				try.Worker.DropIn(t, host.Unit, "cell", "[Service]\nWatchdogSec=3s\n")
				try.work(t)
			},
			do: func(t *testing.T, try *trial) { kill(t, try.Worker, "STOP") },
			undo: func(t *testing.T, try *trial) {
				rejoined(t, try)
				undrop(t, try)
			},
			want: harmless(unharmed(), timeout),
		},
	}
}

// work starts both hosts with the busy actor.
func (try *trial) work(t *testing.T, how ...string) {
	t.Helper()
	try.StartBoth(t)
	try.driver, try.family = try.Busy(t, how...)
}

// undrop takes away what a cell has laid over the worker's unit.
func undrop(t *testing.T, try *trial) {
	t.Helper()
	try.Worker.Sh(t, "rm -f /etc/systemd/system/"+host.Unit+".d/cell.conf && systemctl daemon-reload")
}

// descriptorCells are a raynoded that can open no file, no socket and no pidfd any more.
func descriptorCells() []cell {
	exhaust := func(t *testing.T, try *trial) {
		try.Worker.Sh(t, "runuser -u raynoded -- prlimit --nofile=3: --pid "+try.Worker.MainPID(t, host.Unit))
	}
	return []cell{
		{
			fault: "a worker's raynoded is out of file descriptors", worker: "watchdog.silent = \"2s\"\nwatchdog.stuck = " +
				"\"3s\"\nwatchdog.check_interval = \"200ms\"\n",
			do: func(t *testing.T, try *trial) {
				exhaust(t, try)
				time.Sleep(5 * time.Second)
			},
			want: harmless(unharmed(), unharmed()),
		}, {
			fault: "a worker's raynoded is out of file descriptors when it is stopped",
			do: func(t *testing.T, try *trial) {
				exhaust(t, try)
				try.Worker.Sh(t, "systemctl stop --no-block "+host.Unit)
			},
			want: harmless(unharmed(), inactive("asked to stop: terminated", 0, 4*time.Second)),
		}, {
			fault: "a worker's raynoded is out of file descriptors when its raylet is killed",
			do: func(t *testing.T, try *trial) {
				exhaust(t, try)
				try.Worker.Signal(t, "KILL", "raylet")
			},
			undo: rejoined,
			want: harmless(unharmed(), restarted(70, "Ray failed: raylet ended with *", 0, 4*time.Second)),
		}, {
			fault: "a worker's raynoded is out of file descriptors, so that it cannot ask, when the head's GCS is killed: " +
				"stuck (6 s)",
			worker: "watchdog.stuck = \"6s\"\n",
			do: func(t *testing.T, try *trial) {
				exhaust(t, try)
				try.Head.Signal(t, "KILL", "gcs_server")
			},
			want: harmless(restarted(70, "Ray failed: gcs_server ended with signal killed", 0, time.Second),
				restarted(70, "this host cannot ask the head for *: too many open files", 6*time.Second, 9*time.Second)),
		}, {
			fault: "the limit of open files is too low for Ray (LimitNOFILE=40)",
			prepare: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl start "+host.Unit)
				try.Worker.DropIn(t, host.Unit, "cell", "[Service]\nLimitNOFILE=40\n")
			},
			do:   joins,
			undo: undrop,
			want: harmless(unharmed(), restarted(70, "Ray failed: *", 0, 20*time.Second)),
		},
	}
}

// diskCells are full disks, each a small one mounted inside the worker.
func diskCells() []cell {
	const state, temp = "/var/lib/raynoded/role", "/srv/ray"
	mount := func(t *testing.T, try *trial, dir string) {
		try.Worker.Sh(t, "mkdir -p "+dir+" && mount -t tmpfs -o size=64m,mode=755 full "+dir+" && chown raynoded: "+dir)
	}
	fill := func(t *testing.T, try *trial, dir string) {
		require.Contains(t, try.Worker.Run(t, "dd if=/dev/zero bs=64k of="+dir+"/fill").Stderr, "No space left on device")
	}
	onState := func(t *testing.T, try *trial) { mount(t, try, state) }
	empty := func(t *testing.T, try *trial) {
		try.Worker.Sh(t, "systemctl stop "+host.Unit)
		try.Worker.Sh(
			t,
			"for dir in "+state+" "+temp+"; do ! grep -q \" $dir tmpfs\" /proc/mounts || umount $dir; done; rm -rf "+temp,
		)
	}
	cleanly := func(t *testing.T, try *trial) {
		defer empty(t, try)
		try.Worker.Sh(t, "systemctl stop "+host.Unit)
		try.Worker.RequireState(t, host.Unit, host.Down)
	}
	full := func(says string) map[way]fates {
		says = "this host is not fit: " + says + " as uid *: no space left on device"
		return map[way]fates{
			perJob: {head: unharmed(), worker: broken(71, says, 0, 5*time.Second)},
			stands: {head: unharmed(), worker: outcome{state: holds, says: says, most: 5 * time.Second}},
		}
	}
	return []cell{
		{
			fault: "the disk of a worker's state folder and temp_dir is full for a while", core: true,
			prepare: func(t *testing.T, try *trial) {
				onState(t, try)
				try.work(t)
			},
			do: func(t *testing.T, try *trial) {
				fill(t, try, state)
				refused := try.Head.Program(t, "raynoded", "role", "where.py")
				require.NotZero(t, refused.Wait(t, lab.Patience), "Ray's new workers cannot write their logs")
				require.Contains(t, refused.Output(), "WorkerCrashedError")
				try.Worker.Sh(t, "rm "+state+"/fill")
				require.Equal(t, "ran on a b\n", try.runsEverywhere(t))
			},
			undo: cleanly,
			want: harmless(unharmed(), unharmed()),
		}, {
			fault: "a worker starts while the disk of its temp_dir is full", worker: "ray.temp_dir = \"" + temp + "\"\n",
			prepare: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl start "+host.Unit)
				mount(t, try, temp)
				fill(t, try, temp)
			},
			do:   joins,
			undo: empty,
			want: full("ray.temp_dir: cannot write to " + temp),
		}, {
			fault: "a worker starts while the disk of its state folder is full", worker: "ray.temp_dir = \"" + temp + "\"\n",
			prepare: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl start "+host.Unit)
				onState(t, try)
				fill(t, try, state)
				try.Worker.Sh(t, "install -d -o raynoded "+temp)
			},
			do:   joins,
			undo: empty,
			want: full("the state folder: cannot write to " + state),
		}, {
			fault: "everything in a worker's tmp folder is deleted",
			do: func(t *testing.T, try *trial) {
				try.Worker.Sh(t, "find /tmp -mindepth 1 -delete")
				require.Equal(t, "ran on a b\n", try.runsEverywhere(t))
				there := try.Worker.Program(t, "raynoded", "role", "where.py")
				require.Equal(t, "on a b", host.Says(t, there, "ran"))
			},
			want: harmless(unharmed(), unharmed()),
		},
	}
}

// clockCells are a wall clock that is set while raynoded runs: of its process, as hosts share the
// machine's clock.
func clockCells() []cell {
	step := func(t *testing.T, try *trial, by time.Duration) {
		pid, err := strconv.Atoi(try.Worker.MainPID(t, host.Unit))
		require.NoError(t, err)
		try.Worker.StepClock(t, pid, by)
	}
	var cells []cell
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		name := map[bool]string{true: "forward", false: "back"}[by > 0]
		cells = append(cells, cell{
			fault:  "the clock of a worker steps an hour " + name,
			worker: "watchdog.silent = \"2s\"\nwatchdog.stuck = \"3s\"\nwatchdog.check_interval = \"200ms\"\n",
			do: func(t *testing.T, try *trial) {
				step(t, try, by)
				time.Sleep(5 * time.Second)
			},
			undo: func(t *testing.T, try *trial) { requireStepped(t, try, by) },
			want: harmless(unharmed(), unharmed()),
		}, cell{
			fault:  "the clock of a worker steps an hour " + name + " while its head is away for less than silent (6 s)",
			worker: "watchdog.silent = \"6s\"\nwatchdog.check_interval = \"200ms\"\n",
			do: func(t *testing.T, try *trial) {
				try.Head.Cut(t, true)
				try.doubtFor(t, time.Second)
				step(t, try, by)
				try.doubtFor(t, 2*time.Second)
				try.Head.Cut(t, false)
			},
			undo: func(t *testing.T, try *trial) {
				try.Head.Cut(t, false)
				requireStepped(t, try, by)
			},
			want: harmless(unharmed(), unharmed("the head answers again")),
		}, cell{
			fault:  "the clock of a worker steps an hour " + name + " while its head is away for longer than silent (6 s)",
			worker: "watchdog.silent = \"6s\"\nwatchdog.check_interval = \"200ms\"\n",
			do: func(t *testing.T, try *trial) {
				try.Head.Cut(t, true)
				try.doubtFor(t, time.Second)
				step(t, try, by)
			},
			undo: func(t *testing.T, try *trial) { try.Head.Cut(t, false) },
			want: leaves(unharmed(), "head lost: silent: nothing comes back for *", 6*time.Second, 9*time.Second),
		})
	}
	return cells
}

// requireStepped stops the worker: what it notes as the time of its end shows that it saw the other
// clock.
func requireStepped(t *testing.T, try *trial, by time.Duration) {
	t.Helper()
	try.Worker.Sh(t, "systemctl stop "+host.Unit)
	var end struct{ Time time.Time }
	require.NoError(t, json.Unmarshal([]byte(try.Worker.Get(t, "/var/lib/raynoded/role/last-end.json")), &end))
	require.InDelta(t, by.Seconds(), time.Until(end.Time).Seconds(), 60)
}

// suspendCells are hosts whose processes all stop for a while, which is longer than silent.
func suspendCells() []cell {
	const quick, length = "watchdog.silent = \"6s\"\nwatchdog.stuck = \"6s\"\nwatchdog.check_interval = " +
		"\"500ms\"\n", 10 * time.Second
	suspend := func(t *testing.T, h *host.Host, asleep bool) {
		h.Cut(t, asleep)
		h.Freeze(t, asleep)
	}
	return []cell{
		{
			fault: "a worker is suspended for longer than silent (6 s)", core: true, worker: quick,
			do: func(t *testing.T, try *trial) {
				suspend(t, try.Worker, true)
				time.Sleep(length)
				suspend(t, try.Worker, false)
				require.Equal(t, "ran on a b\n", try.runsEverywhere(t))
			},
			undo: func(t *testing.T, try *trial) { suspend(t, try.Worker, false) },
			want: harmless(unharmed(), unharmed()),
		}, {
			fault: "a worker is suspended for so long that the GCS declares it dead", worker: quick, head: hasty,
			do: func(t *testing.T, try *trial) {
				suspend(t, try.Worker, true)
				try.Head.Await(t, host.Unit, host.Up.With("StatusText", "*; 1 of 2 nodes"))
				suspend(t, try.Worker, false)
				try.began = host.Clock(t)
			},
			undo: func(t *testing.T, try *trial) {
				suspend(t, try.Worker, false)
				rejoined(t, try)
			},
			want: harmless(unharmed(), restarted(70, "Ray failed: * dead*", 0, 5*time.Second)),
		}, {
			fault: "the head is suspended for longer than its worker's silent (6 s)", worker: quick, head: quick,
			do: func(t *testing.T, try *trial) {
				suspend(t, try.Head, true)
				try.Worker.AwaitLine(t, try.began, "head lost: silent: *")
				suspend(t, try.Head, false)
			},
			undo: func(t *testing.T, try *trial) { suspend(t, try.Head, false) },
			want: map[way]fates{
				perJob: {unharmed(), inactive("head lost: silent: nothing comes back for *", 6*time.Second, 9*time.Second)},
				stands: {
					unharmed(),
					outcome{
						state: rejoins,
						says:  "head lost: silent: nothing comes back for *",
						least: 6 * time.Second,
						most:  9 * time.Second,
					},
				},
			},
		}, {
			fault: "both hosts are suspended for longer than silent (6 s)", worker: quick, head: quick,
			do: func(t *testing.T, try *trial) {
				suspend(t, try.Worker, true)
				suspend(t, try.Head, true)
				time.Sleep(length)
				suspend(t, try.Head, false)
				suspend(t, try.Worker, false)
				require.Equal(t, "ran on a b\n", try.runsEverywhere(t))
			},
			undo: func(t *testing.T, try *trial) {
				suspend(t, try.Head, false)
				suspend(t, try.Worker, false)
			},
			want: harmless(unharmed(), unharmed()),
		},
	}
}
