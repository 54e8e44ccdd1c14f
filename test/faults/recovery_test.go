//go:build systemd

package faults

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestMatrix_Recovery is a head that keeps its state: it goes away, comes back, and finds its
// workers at work. The driver, its actor and its tasks are on the worker.
func TestMatrix_Recovery(t *testing.T) {
	const quick = "watchdog.silent = \"3s\"\nwatchdog.stuck = \"3s\"\n" // which must not count
	again := fates{head: outcome{state: isBack}, worker: unharmed("the head answers again")}
	back := func(fate fates) map[way]fates { return map[way]fates{persistent: fate} }
	runCells(t, []cell{
		{
			fault: "the GCS of a persistent head is killed", core: true, worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.Head.Signal(t, "KILL", "gcs_server")
				goesOnCounting(t, try)
			},
			want: back(fates{
				head:   restarted(70, "Ray failed: gcs_server ended with signal killed", 0, time.Second),
				worker: unharmed("the head answers again"),
			}),
		}, {
			fault: "the GCS of a persistent head is told to end", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.Head.Signal(t, "TERM", "gcs_server")
				goesOnCounting(t, try)
			},
			want: back(fates{
				head:   restarted(70, "Ray failed: its own GCS: head lost: gone: *", 0, 2*time.Second),
				worker: unharmed("the head answers again"),
			}),
		}, {
			fault: "raynoded of a persistent head is killed", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "kill -KILL "+try.Head.MainPID(t, host.Unit))
				goesOnCounting(t, try)
			},
			want: back(fates{head: restarted(9, "", 0, 0), worker: unharmed("the head answers again")}),
		}, {
			fault: "a persistent head's unit is stopped, and started after 20 s", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl stop "+host.Unit)
				away(t, try, 20*time.Second)
				try.Head.Sh(t, "systemctl start "+host.Unit)
				goesOnCounting(t, try)
			},
			want: back(again),
		}, {
			fault: "a persistent head's host is rebooted", worker: quick,
			prepare: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl enable --quiet "+host.Unit)
				steadily(t, try)
			},
			do: func(t *testing.T, try *trial) {
				try.before[try.Head] = snapshot{}
				try.Head.Reboot(t)
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) { try.Head.Sh(t, "systemctl disable --quiet "+host.Unit) },
			want: back(again),
		}, {
			fault: "a persistent head's host loses its power and is switched on again", worker: quick,
			prepare: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl enable --quiet "+host.Unit)
				steadily(t, try)
			},
			do: func(t *testing.T, try *trial) {
				try.before[try.Head] = snapshot{}
				try.Head.Kill(t)
				away(t, try, 10*time.Second)
				try.Head.PowerOn(t)
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) { try.Head.Sh(t, "systemctl disable --quiet "+host.Unit) },
			want: back(again),
		}, {
			fault: "a persistent head's host is cut off for 20 s", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.Head.Cut(t, true)
				away(t, try, 20*time.Second)
				try.Head.Cut(t, false)
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) { try.Head.Cut(t, false) },
			want: back(fates{head: unharmed(), worker: unharmed("the head answers again")}),
		}, {
			fault: "a persistent head comes back without its state", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl stop "+host.Unit+" && raynoded forget --yes && systemctl start "+host.Unit)
			},
			want: back(
				fates{
					head:   outcome{state: isBack},
					worker: inactive("head lost: another: another cluster answers in its place: *", 0, 20*time.Second),
				},
			),
		}, {
			fault: "a persistent head does not come back within head_return", worker: "watchdog.head_return = " +
				"\"8s\"\n", prepare: steadily,
			do: func(t *testing.T, try *trial) { try.Head.Sh(t, "systemctl stop "+host.Unit) },
			want: back(fates{
				head:   inactive("asked to stop: terminated", 0, 3*time.Second),
				worker: inactive("head lost: gone: every connection refused for *", 8*time.Second, 15*time.Second),
			}),
		}, {
			fault: "the GCS of a head that keeps its state in Redis is killed", worker: quick,
			head: "cluster.redis = \"b.lab:7000\"\n",
			prepare: func(t *testing.T, try *trial) {
				try.Worker.Copy(t, lab.RedisServer(t), "/srv/redis-server", "755")
				try.Worker.Put(t, "/etc/systemd/system/redis.service",
					"[Service]\nExecStart=/srv/redis-server --port 7000 --protected-mode no --save '' --dir /run\n", "644")
				try.Worker.Sh(t, "systemctl daemon-reload && systemctl start redis")
				steadily(t, try)
			},
			do: func(t *testing.T, try *trial) {
				try.Head.Signal(t, "KILL", "gcs_server")
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) {
				try.Head.Sh(t, "systemctl stop "+host.Unit)
				require.Contains(t, try.Head.Sh(t, "raynoded forget --yes"), "Forgotten: Redis b.lab:7000.")
				try.Head.LayOver(t, "1-cell", "")
				try.Worker.Sh(t, "systemctl stop redis")
			},
			want: back(fates{
				head:   restarted(70, "Ray failed: gcs_server ended with signal killed", 0, time.Second),
				worker: unharmed("the head answers again"),
			}),
		},
	})
}

// steadily starts both, and a driver on the worker that counts by an actor and a task there.
func steadily(t *testing.T, try *trial) {
	t.Helper()
	try.StartBoth(t)
	try.driver = try.Worker.Program(t, "raynoded", "role", "steady.py", try.Worker.Name)
	actor, err := strconv.Atoi(host.Says(t, try.driver, "actor"))
	require.NoError(t, err)
	try.family = []int{actor}
	host.Says(t, try.driver, "count")
}

// away leaves the head away for so long. The worker stays what it is meanwhile.
func away(t *testing.T, try *trial, length time.Duration) {
	t.Helper()
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(time.Second) {
		requireAlive(t, try.Worker, vital(try.before[try.Worker].procs))
	}
}

// goesOnCounting waits until the head runs again, and then for the driver's next rounds.
func goesOnCounting(t *testing.T, try *trial) {
	t.Helper()
	try.Worker.AwaitLine(t, try.began, "the head answers again")
	try.Head.Await(t, host.Unit, host.Up.With("StatusText", "running: *"))
	before := counted(try.driver)
	lab.Until(t, lab.Patience, "the driver goes on counting: "+strconv.Itoa(before), func() bool {
		require.True(t, try.driver.Running(), try.driver.Output())
		return counted(try.driver) >= before+5
	})
}

// counted is how far the driver has come.
func counted(driver *lab.Process) int {
	lines := strings.Fields(driver.Output())
	n, _ := strconv.Atoi(lines[len(lines)-1])
	return n
}
