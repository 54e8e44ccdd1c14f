//go:build systemd

package test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

const (
	// stuckHead never comes further than starting.
	stuckHead = `role = "head"
[cluster]
head = "10.77.0.1:6379"
[ray]
bin = "/srv/stuck"
start_timeout = "10m"
[auth]
mode = "none"
`
	stuckRay = "#!/opt/ray/bin/python3\nimport signal\nsignal.pause()\n"

	// deafJob holds up a stop for as long as stop.grace lets it.
	deafJob = `role = "single"
job.command = ["sh", "-c", "trap '' TERM; sleep 1000"]
stop.grace = "%s"
`
)

// unitOf is the unit of /etc/raynoded/NAME.toml.
func unitOf(name string) string { return "raynoded@" + name + ".service" }

// begin starts an instance with a role, and returns once its unit is as wanted.
func (h *installed) begin(t *testing.T, name, role string, want is) {
	t.Helper()
	h.Put(t, "/etc/raynoded/"+name+".toml", role, "644")
	h.Sh(t, "systemctl start --no-block "+unitOf(name))
	h.await(t, unitOf(name), want)
}

// awaitsHead is a worker that waits for its head.
var awaitsHead = waiting.with("StatusText", "waiting: *")

// begins are phases of which none ends by itself within a minute.
func (h *installed) begins(t *testing.T, grace string) (phases map[string]is) {
	t.Helper()
	h.Put(t, "/srv/stuck", stuckRay, "755")
	phases = map[string]is{
		"waits":  awaitsHead,
		"starts": waiting.with("StatusText", "starting: *"),
		"stops":  {"ActiveState": "deactivating", "SubState": "stop-sigterm", "StatusText": "stopping: *"},
	}
	h.begin(t, "waits", loneWorker, phases["waits"])
	h.begin(t, "starts", stuckHead, phases["starts"])
	h.begin(t, "stops", fmt.Sprintf(deafJob, grace), up)
	lab.Until(t, patience, "the job runs", func() bool { return len(h.in(t, unitOf("stops"))) == 3 })
	h.Sh(t, "systemctl stop --no-block "+unitOf("stops"))
	h.await(t, unitOf("stops"), phases["stops"])
	return phases
}

// disturbances are what makes PID 1 read its units anew, at each of which it forgets what a service
// has asked for (EXTEND_TIMEOUT_USEC).
func disturbances(next string) []struct {
	name string
	do   func(*testing.T, *installed)
} {
	return []struct {
		name string
		do   func(*testing.T, *installed)
	}{
		{"daemon-reload", func(t *testing.T, h *installed) { h.Sh(t, "systemctl daemon-reload") }},
		{"daemon-reexec", func(t *testing.T, h *installed) { h.Sh(t, "systemctl daemon-reexec") }},
		{"the next version is installed", func(t *testing.T, h *installed) { h.dpkgInstall(t, next) }},
	}
}

// shipped are the times that the units give.
var shipped = is{"TimeoutStartUSec": "infinity", "TimeoutStopUSec": "15min", "TimeoutAbortUSec": "30s"}

// everything says whether this is `make matrix`.
func everything() bool { return os.Getenv("RAYNODED_MATRIX") == "all" }

// systemds are the Debians to try: in `make matrix` all of them, else one.
func systemds(one string) []string {
	if everything() {
		return []string{"bookworm", "trixie"}
	}
	return []string{one}
}

// heard waits until systemd has had a keep-alive of a unit since a moment of clock().
func (h *installed) heard(t *testing.T, unit string, began time.Duration) {
	t.Helper()
	lab.Until(t, patience, unit+" says that it is alive", func() bool {
		micros, err := strconv.ParseInt(h.Show(t, unit, "WatchdogTimestampMonotonic")["WatchdogTimestampMonotonic"], 10, 64)
		require.NoError(t, err)
		return time.Duration(micros)*time.Microsecond > began
	})
}

// TestTimes_Phases waits in each phase for longer than raynoded was once given, and asked for at
// once, and then has systemd forget what it had been told. The times that it has to go by are the
// shipped ones all along.
func TestTimes_Phases(t *testing.T) {
	t.Parallel() // nearly all of it is waiting
	lab.Need(t, lab.Root("bookworm"))
	next := newerPackage(t, "*.deb")
	for _, suite := range systemds("trixie") {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			h := bootInstalled(t, suite, "a")[0]
			h.requireIs(t, unit, shipped.with("RestartUSec", "10s"))
			const grace = time.Minute
			phases := h.begins(t, grace.String())
			began := clock(t)
			main := map[string]string{}
			for name := range phases {
				main[name] = h.mainPID(t, unitOf(name))
			}

			// The unit still starts, and systemd reloads what has started.
			require.Equal(t, 124, h.Run(t, "timeout 1 systemctl reload "+unitOf("waits")).Code)
			h.Sh(t, "raynoded reload --role /etc/raynoded/waits.toml")

			time.Sleep(41*time.Second - (clock(t) - began)) // raynoded asked for 40 s
			for _, d := range disturbances(next) {
				t.Run(d.name, func(t *testing.T) {
					d.do(t, h)
					for name, want := range phases {
						h.requireIs(t, unitOf(name), want.with("MainPID", main[name]).with("NRestarts", "0"))
						h.requireIs(t, unitOf(name), shipped)
					}
				})
			}
			after := clock(t)
			require.Less(t, after-began, grace, "the machine is too busy: the stop must outlast what was done")
			for _, name := range []string{"waits", "starts"} {
				h.heard(t, unitOf(name), after)
				h.requireIs(t, unitOf(name), is{"WatchdogUSec": "1min"})
			}

			h.await(t, unitOf("stops"), down)
			require.Less(t, h.since(t, began, unitOf("stops"), "InactiveEnter"), grace+late())
			for _, name := range []string{"waits", "starts"} {
				h.requireIs(t, unitOf(name), phases[name].with("MainPID", main[name]).with("NRestarts", "0"))
				h.Sh(t, "systemctl stop "+unitOf(name))
				h.requireIs(t, unitOf(name), down)
			}
			for name := range phases {
				h.requireNothingOf(t, unitOf(name))
			}
		})
	}
}

// brief are times short enough for a test to wait for them; nothing starts again.
const (
	brief = "[Service]\nWatchdogSec=4s\nTimeoutAbortSec=3s\nTimeoutStopSec=5s\nRestart=no\nRestartForceExitStatus=\n"

	briefWatchdog, briefAbort, briefStop = 4 * time.Second, 3 * time.Second, 5 * time.Second
)

// hang stops an instance's raynoded.
func (h *installed) hang(t *testing.T, name string) {
	t.Helper()
	h.Sh(t, "kill -STOP "+h.mainPID(t, unitOf(name)))
}

// ends waits until systemd has ended an instance with a result, for as long as most since began,
// and has left nothing of it.
func (h *installed) ends(t *testing.T, name, result string, began, most time.Duration) {
	t.Helper()
	h.await(t, unitOf(name), is{"ActiveState": "failed", "Result": result})
	took := h.since(t, began, unitOf(name), "InactiveEnter")
	t.Logf("%s: ended by %s after %s", name, result, took)
	require.Less(t, took, most+late())
	h.requireNothingOf(t, unitOf(name))
}

// TestTimes_Hangs has raynoded hang in each phase. A start has no time-out: the keep-alive ends it,
// as soon as raynoded was heard once after systemd has read its units anew.
func TestTimes_Hangs(t *testing.T) {
	t.Parallel() // nearly all of it is waiting
	for _, suite := range systemds("bookworm") {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			h := bootInstalled(t, suite, "a")[0]
			h.dropIn(t, "raynoded@.service", "brief", brief)
			h.begins(t, "100s")
			for _, name := range []string{"reloads", "reexecs", "freezes"} {
				h.begin(t, name, loneWorker, awaitsHead)
			}

			began := clock(t)
			for _, name := range []string{"waits", "starts", "stops"} {
				h.hang(t, name)
			}
			h.freeze(t, "freezes")
			h.ends(t, "waits", "watchdog", began, briefWatchdog)
			h.ends(t, "starts", "watchdog", began, briefWatchdog)
			h.ends(t, "stops", "timeout", began, briefStop)
			h.ends(t, "freezes", "watchdog", began, briefWatchdog+briefAbort)

			for name, command := range map[string]string{"reloads": "daemon-reload", "reexecs": "daemon-reexec"} {
				h.Sh(t, "systemctl "+command)
				h.heard(t, unitOf(name), clock(t))
				began := clock(t)
				h.hang(t, name)
				h.ends(t, name, "watchdog", began, briefWatchdog)
			}
		})
	}
}

// freeze stops everything in the cgroup of an instance, as `systemctl freeze` does, and a
// container's pause.
func (h *installed) freeze(t *testing.T, name string) {
	t.Helper()
	group := h.Show(t, unitOf(name), "ControlGroup")["ControlGroup"]
	h.Sh(t, "echo 1 >/sys/fs/cgroup"+group+"/cgroup.freeze")
	h.Sh(t, "until grep -q 'frozen 1' /sys/fs/cgroup"+group+"/cgroup.events; do sleep 0.01; done")
}

// TestTimes_Stop stops nodes that do not end by themselves, for a process that sleeps in the
// kernel too, and shuts their host down.
func TestTimes_Stop(t *testing.T) {
	t.Parallel() // nearly all of it is waiting
	for _, suite := range systemds("trixie") {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			h := bootInstalled(t, suite, "a")[0]
			h.dropIn(t, "raynoded@.service", "brief", brief+"WatchdogSec=60s\n")

			h.begin(t, "freezes", loneWorker, awaitsHead)
			h.freeze(t, "freezes")
			began := clock(t)
			h.Sh(t, "systemctl stop "+unitOf("freezes")) // 252 has it go on and end, 257 kills it in the end
			require.Contains(t, []string{"inactive", "failed"}, h.Show(t, unitOf("freezes"), "ActiveState")["ActiveState"])
			require.Less(t, h.since(t, began, unitOf("freezes"), "InactiveEnter"), briefStop+late())
			h.requireNothingOf(t, unitOf("freezes"))

			t.Run("a process that not even SIGKILL ends", func(t *testing.T) {
				h.begin(t, "wedged", fmt.Sprintf(deafJob, "0s"), up)
				lab.Until(t, patience, "the job runs", func() bool { return len(h.in(t, unitOf("wedged"))) == 3 })
				free := h.Wedge(t, h.one(t, unitOf("wedged"), "sleep").Pid)
				began := clock(t)
				h.Sh(t, "systemctl stop --no-block "+unitOf("wedged"))
				h.await(t, unitOf("wedged"), is{"ActiveState": "failed", "Result": "timeout"})
				took := h.since(t, began, unitOf("wedged"), "InactiveEnter")
				t.Logf("given up after %s", took)
				require.Less(t, took, 2*briefStop+late(), "until SIGKILL, and from then on")
				free()
				lab.Until(t, patience, "the process has ended", func() bool { return len(h.in(t, unitOf("wedged"))) == 0 })
			})

			t.Run("its host is shut down", func(t *testing.T) {
				h.begin(t, "deaf", fmt.Sprintf(deafJob, "100s"), up)
				lab.Until(t, patience, "the job runs", func() bool { return len(h.in(t, unitOf("deaf"))) == 3 })
				h.begin(t, "stopped", loneWorker, awaitsHead)
				h.hang(t, "stopped")
				h.begin(t, "freezes", loneWorker, awaitsHead)
				h.freeze(t, "freezes")
				began := clock(t)
				h.PowerOff(t)
				took := clock(t) - began
				t.Logf("off after %s", took)
				require.Less(t, took, briefStop+late())
			})
		})
	}
}

// TestTimes_Drain has a worker drain for longer than raynoded once asked for at once, and then has
// systemd forget what it was told: its actor works on.
func TestTimes_Drain(t *testing.T) {
	t.Parallel() // beside those that wait
	lab.Need(t, lab.Root("bookworm"))
	next := newerPackage(t, "*.deb")
	for _, suite := range systemds("bookworm") {
		t.Run(suite, func(t *testing.T) {
			p := bootPair(t, suite)
			w := p.worker
			w.layOver(t, "drain", "stop.drain = \"10m\"\n")
			p.startBoth(t)
			driver, family := p.busy(t)
			drains := is{
				"ActiveState": "deactivating", "StatusText": "draining: *; no new work until *",
				"MainPID": w.mainPID(t, unit), "NRestarts": "0",
			}
			w.Sh(t, "systemctl stop --no-block "+unit)
			w.await(t, unit, drains)

			if everything() {
				time.Sleep(41 * time.Second) // raynoded asked for 40 s; to systemd this is TestTimes_Phases' stop
			}
			for _, d := range disturbances(next) {
				t.Run(d.name, func(t *testing.T) {
					d.do(t, w)
					w.requireIs(t, unit, drains)
					w.requireIs(t, unit, shipped)
					var inside []int
					for _, proc := range w.in(t, unit) {
						inside = append(inside, proc.Pid)
					}
					require.Subset(t, inside, family)
					require.True(t, driver.Running(), driver.Output())
				})
			}
			(&trial{pair: p, driver: driver}).endDrivers(t)
			w.await(t, unit, down.with("NRestarts", "0"))
			w.requireNothingOf(t, unit)
		})
	}
}
