//go:build systemd

package test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
				try.head.signal(t, "KILL", "gcs_server")
				goesOnCounting(t, try)
			},
			want: back(fates{
				head:   restarted(70, "Ray failed: gcs_server ended with signal killed", 0, time.Second),
				worker: unharmed("the head answers again"),
			}),
		}, {
			fault: "the GCS of a persistent head is told to end", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.head.signal(t, "TERM", "gcs_server")
				goesOnCounting(t, try)
			},
			want: back(fates{
				head:   restarted(70, "Ray failed: its own GCS: head lost: gone: *", 0, 2*time.Second),
				worker: unharmed("the head answers again"),
			}),
		}, {
			fault: "raynoded of a persistent head is killed", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.head.Sh(t, "kill -KILL "+try.head.mainPID(t, unit))
				goesOnCounting(t, try)
			},
			want: back(fates{head: restarted(9, "", 0, 0), worker: unharmed("the head answers again")}),
		}, {
			fault: "a persistent head's unit is stopped, and started after 20 s", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.head.Sh(t, "systemctl stop "+unit)
				away(t, try, 20*time.Second)
				try.head.Sh(t, "systemctl start "+unit)
				goesOnCounting(t, try)
			},
			want: back(again),
		}, {
			fault: "a persistent head's host is rebooted", worker: quick,
			prepare: func(t *testing.T, try *trial) {
				try.head.Sh(t, "systemctl enable --quiet "+unit)
				steadily(t, try)
			},
			do: func(t *testing.T, try *trial) {
				try.before[try.head] = snapshot{}
				try.head.Reboot(t)
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) { try.head.Sh(t, "systemctl disable --quiet "+unit) },
			want: back(again),
		}, {
			fault: "a persistent head's host loses its power and is switched on again", worker: quick,
			prepare: func(t *testing.T, try *trial) {
				try.head.Sh(t, "systemctl enable --quiet "+unit)
				steadily(t, try)
			},
			do: func(t *testing.T, try *trial) {
				try.before[try.head] = snapshot{}
				try.head.Kill(t)
				away(t, try, 10*time.Second)
				try.head.PowerOn(t)
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) { try.head.Sh(t, "systemctl disable --quiet "+unit) },
			want: back(again),
		}, {
			fault: "a persistent head's host is cut off for 20 s", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.head.Cut(t, true)
				away(t, try, 20*time.Second)
				try.head.Cut(t, false)
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) { try.head.Cut(t, false) },
			want: back(fates{head: unharmed(), worker: unharmed("the head answers again")}),
		}, {
			fault: "a persistent head comes back without its state", worker: quick, prepare: steadily,
			do: func(t *testing.T, try *trial) {
				try.head.Sh(t, "systemctl stop "+unit+" && raynoded forget --yes && systemctl start "+unit)
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
			do: func(t *testing.T, try *trial) { try.head.Sh(t, "systemctl stop "+unit) },
			want: back(fates{
				head:   inactive("asked to stop: terminated", 0, 3*time.Second),
				worker: inactive("head lost: gone: every connection refused for *", 8*time.Second, 15*time.Second),
			}),
		}, {
			fault: "the GCS of a head that keeps its state in Redis is killed", worker: quick,
			head: "cluster.redis = \"b.lab:7000\"\n",
			prepare: func(t *testing.T, try *trial) {
				try.worker.Copy(t, lab.RedisServer(t), "/srv/redis-server", "755")
				try.worker.Put(t, "/etc/systemd/system/redis.service",
					"[Service]\nExecStart=/srv/redis-server --port 7000 --protected-mode no --save '' --dir /run\n", "644")
				try.worker.Sh(t, "systemctl daemon-reload && systemctl start redis")
				steadily(t, try)
			},
			do: func(t *testing.T, try *trial) {
				try.head.signal(t, "KILL", "gcs_server")
				goesOnCounting(t, try)
			},
			undo: func(t *testing.T, try *trial) {
				try.head.Sh(t, "systemctl stop "+unit)
				require.Contains(t, try.head.Sh(t, "raynoded forget --yes"), "Forgotten: Redis b.lab:7000.")
				try.head.layOver(t, "1-cell", "")
				try.worker.Sh(t, "systemctl stop redis")
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
	try.startBoth(t)
	try.driver = try.worker.program(t, "raynoded", "role", "steady.py", try.worker.Name)
	actor, err := strconv.Atoi(says(t, try.driver, "actor"))
	require.NoError(t, err)
	try.family = []int{actor}
	says(t, try.driver, "count")
}

// away leaves the head away for so long. The worker stays what it is meanwhile.
func away(t *testing.T, try *trial, length time.Duration) {
	t.Helper()
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(time.Second) {
		requireAlive(t, try.worker, vital(try.before[try.worker].procs))
	}
}

// goesOnCounting waits until the head runs again, and then for the driver's next rounds.
func goesOnCounting(t *testing.T, try *trial) {
	t.Helper()
	try.worker.hears(t, try.began, "the head answers again")
	try.head.await(t, unit, up.with("StatusText", "running: *"))
	before := counted(try.driver)
	lab.Until(t, patience, "the driver goes on counting: "+strconv.Itoa(before), func() bool {
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
