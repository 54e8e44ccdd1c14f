//go:build systemd

package faults

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/kit/host"
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
func begin(t *testing.T, h *host.Host, name, role string, want host.State) {
	t.Helper()
	h.Put(t, "/etc/raynoded/"+name+".toml", role, "644")
	h.Sh(t, "systemctl start --no-block "+unitOf(name))
	h.Await(t, unitOf(name), want)
}

// awaitsHead is a worker that waits for its head.
var awaitsHead = host.Waiting.With("StatusText", "waiting: *")

// begins are phases of which none ends by itself within a minute.
func begins(t *testing.T, h *host.Host, grace string) (phases map[string]host.State) {
	t.Helper()
	h.Put(t, "/srv/stuck", stuckRay, "755")
	phases = map[string]host.State{
		"waits":  awaitsHead,
		"starts": host.Waiting.With("StatusText", "starting: *"),
		"stops":  {"ActiveState": "deactivating", "SubState": "stop-sigterm", "StatusText": "stopping: *"},
	}
	begin(t, h, "waits", host.LoneWorker, phases["waits"])
	begin(t, h, "starts", stuckHead, phases["starts"])
	begin(t, h, "stops", fmt.Sprintf(deafJob, grace), host.Up)
	lab.Until(t, lab.Patience, "the job runs", func() bool { return len(h.ProcsIn(t, unitOf("stops"))) == 3 })
	h.Sh(t, "systemctl stop --no-block "+unitOf("stops"))
	h.Await(t, unitOf("stops"), phases["stops"])
	return phases
}

// disturbances are what makes PID 1 read its units anew, at each of which it forgets what a service
// has asked for (EXTEND_TIMEOUT_USEC).
func disturbances(next string) []struct {
	name string
	do   func(*testing.T, *host.Host)
} {
	return []struct {
		name string
		do   func(*testing.T, *host.Host)
	}{
		{"daemon-reload", func(t *testing.T, h *host.Host) { h.Sh(t, "systemctl daemon-reload") }},
		{"daemon-reexec", func(t *testing.T, h *host.Host) { h.Sh(t, "systemctl daemon-reexec") }},
		{"the next version is installed", func(t *testing.T, h *host.Host) { h.Install(t, next) }},
	}
}

// shipped are the times that the units give.
var shipped = host.State{"TimeoutStartUSec": "infinity", "TimeoutStopUSec": "15min", "TimeoutAbortUSec": "30s"}

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
func heard(t *testing.T, h *host.Host, unit string, began time.Duration) {
	t.Helper()
	lab.Until(t, lab.Patience, unit+" says that it is alive", func() bool {
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
	next := dist.Newer(t, "*.deb")
	for _, suite := range systemds("trixie") {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			h := host.Boot(t, suite, "a")[0]
			h.RequireState(t, host.Unit, shipped.With("RestartUSec", "10s"))
			const grace = time.Minute
			phases := begins(t, h, grace.String())
			began := host.Clock(t)
			main := map[string]string{}
			for name := range phases {
				main[name] = h.MainPID(t, unitOf(name))
			}

			// The unit still starts, and systemd reloads what has started.
			require.Equal(t, 124, h.Run(t, "timeout 1 systemctl reload "+unitOf("waits")).Code)
			h.Sh(t, "raynoded reload --role /etc/raynoded/waits.toml")

			time.Sleep(41*time.Second - (host.Clock(t) - began)) // raynoded asked for 40 s
			for _, d := range disturbances(next) {
				t.Run(d.name, func(t *testing.T) {
					d.do(t, h)
					for name, want := range phases {
						h.RequireState(t, unitOf(name), want.With("MainPID", main[name]).With("NRestarts", "0"))
						h.RequireState(t, unitOf(name), shipped)
					}
				})
			}
			after := host.Clock(t)
			require.Less(t, after-began, grace, "the machine is too busy: the stop must outlast what was done")
			for _, name := range []string{"waits", "starts"} {
				heard(t, h, unitOf(name), after)
				h.RequireState(t, unitOf(name), host.State{"WatchdogUSec": "1min"})
			}

			h.Await(t, unitOf("stops"), host.Down)
			require.Less(t, h.Since(t, began, unitOf("stops"), "InactiveEnter"), grace+lab.Late())
			for _, name := range []string{"waits", "starts"} {
				h.RequireState(t, unitOf(name), phases[name].With("MainPID", main[name]).With("NRestarts", "0"))
				h.Sh(t, "systemctl stop "+unitOf(name))
				h.RequireState(t, unitOf(name), host.Down)
			}
			for name := range phases {
				h.RequireNothingOf(t, unitOf(name))
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
func hang(t *testing.T, h *host.Host, name string) {
	t.Helper()
	h.Sh(t, "kill -STOP "+h.MainPID(t, unitOf(name)))
}

// ends waits until systemd has ended an instance with a result, for as long as most since began,
// and has left nothing of it.
func ends(t *testing.T, h *host.Host, name, result string, began, most time.Duration) {
	t.Helper()
	h.Await(t, unitOf(name), host.State{"ActiveState": "failed", "Result": result})
	took := h.Since(t, began, unitOf(name), "InactiveEnter")
	t.Logf("%s: ended by %s after %s", name, result, took)
	require.Less(t, took, most+lab.Late())
	h.RequireNothingOf(t, unitOf(name))
}

// TestTimes_Hangs has raynoded hang in each phase. A start has no time-out: the keep-alive ends it,
// as soon as raynoded was heard once after systemd has read its units anew.
func TestTimes_Hangs(t *testing.T) {
	t.Parallel() // nearly all of it is waiting
	for _, suite := range systemds("bookworm") {
		t.Run(suite, func(t *testing.T) {
			t.Parallel()
			h := host.Boot(t, suite, "a")[0]
			h.DropIn(t, "raynoded@.service", "brief", brief)
			begins(t, h, "100s")
			for _, name := range []string{"reloads", "reexecs", "freezes"} {
				begin(t, h, name, host.LoneWorker, awaitsHead)
			}

			began := host.Clock(t)
			for _, name := range []string{"waits", "starts", "stops"} {
				hang(t, h, name)
			}
			freeze(t, h, "freezes")
			ends(t, h, "waits", "watchdog", began, briefWatchdog)
			ends(t, h, "starts", "watchdog", began, briefWatchdog)
			ends(t, h, "stops", "timeout", began, briefStop)
			ends(t, h, "freezes", "watchdog", began, briefWatchdog+briefAbort)

			for name, command := range map[string]string{"reloads": "daemon-reload", "reexecs": "daemon-reexec"} {
				h.Sh(t, "systemctl "+command)
				heard(t, h, unitOf(name), host.Clock(t))
				began := host.Clock(t)
				hang(t, h, name)
				ends(t, h, name, "watchdog", began, briefWatchdog)
			}
		})
	}
}

// freeze stops everything in the cgroup of an instance, as `systemctl freeze` does, and a
// container's pause.
func freeze(t *testing.T, h *host.Host, name string) {
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
			h := host.Boot(t, suite, "a")[0]
			h.DropIn(t, "raynoded@.service", "brief", brief+"WatchdogSec=60s\n")

			begin(t, h, "freezes", host.LoneWorker, awaitsHead)
			freeze(t, h, "freezes")
			began := host.Clock(t)
			h.Sh(t, "systemctl stop "+unitOf("freezes")) // 252 has it go on and end, 257 kills it in the end
			require.Contains(t, []string{"inactive", "failed"}, h.Show(t, unitOf("freezes"), "ActiveState")["ActiveState"])
			require.Less(t, h.Since(t, began, unitOf("freezes"), "InactiveEnter"), briefStop+lab.Late())
			h.RequireNothingOf(t, unitOf("freezes"))

			t.Run("a process that not even SIGKILL ends", func(t *testing.T) {
				begin(t, h, "wedged", fmt.Sprintf(deafJob, "0s"), host.Up)
				lab.Until(t, lab.Patience, "the job runs", func() bool { return len(h.ProcsIn(t, unitOf("wedged"))) == 3 })
				free := h.Wedge(t, h.ProcIn(t, unitOf("wedged"), "sleep").Pid)
				began := host.Clock(t)
				h.Sh(t, "systemctl stop --no-block "+unitOf("wedged"))
				h.Await(t, unitOf("wedged"), host.State{"ActiveState": "failed", "Result": "timeout"})
				took := h.Since(t, began, unitOf("wedged"), "InactiveEnter")
				t.Logf("given up after %s", took)
				require.Less(t, took, 2*briefStop+lab.Late(), "until SIGKILL, and from then on")
				free()
				lab.Until(t, lab.Patience, "the process has ended", func() bool { return len(h.ProcsIn(t, unitOf("wedged"))) == 0 })
			})

			t.Run("its host is shut down", func(t *testing.T) {
				begin(t, h, "deaf", fmt.Sprintf(deafJob, "100s"), host.Up)
				lab.Until(t, lab.Patience, "the job runs", func() bool { return len(h.ProcsIn(t, unitOf("deaf"))) == 3 })
				begin(t, h, "stopped", host.LoneWorker, awaitsHead)
				hang(t, h, "stopped")
				begin(t, h, "freezes", host.LoneWorker, awaitsHead)
				freeze(t, h, "freezes")
				began := host.Clock(t)
				h.PowerOff(t)
				took := host.Clock(t) - began
				t.Logf("off after %s", took)
				require.Less(t, took, briefStop+lab.Late())
			})
		})
	}
}

// TestTimes_Drain has a worker drain for longer than raynoded once asked for at once, and then has
// systemd forget what it was told: its actor works on.
func TestTimes_Drain(t *testing.T) {
	t.Parallel() // beside those that wait
	lab.Need(t, lab.Root("bookworm"))
	next := dist.Newer(t, "*.deb")
	for _, suite := range systemds("bookworm") {
		t.Run(suite, func(t *testing.T) {
			p := host.BootPair(t, suite)
			w := p.Worker
			w.LayOver(t, "drain", "stop.drain = \"10m\"\n")
			p.StartBoth(t)
			driver, family := p.Busy(t)
			drains := host.State{
				"ActiveState": "deactivating", "StatusText": "draining: *; no new work until *",
				"MainPID": w.MainPID(t, host.Unit), "NRestarts": "0",
			}
			w.Sh(t, "systemctl stop --no-block "+host.Unit)
			w.Await(t, host.Unit, drains)

			if everything() {
				time.Sleep(41 * time.Second) // raynoded asked for 40 s; to systemd this is TestTimes_Phases' stop
			}
			for _, d := range disturbances(next) {
				t.Run(d.name, func(t *testing.T) {
					d.do(t, w)
					w.RequireState(t, host.Unit, drains)
					w.RequireState(t, host.Unit, shipped)
					var inside []int
					for _, proc := range w.ProcsIn(t, host.Unit) {
						inside = append(inside, proc.Pid)
					}
					require.Subset(t, inside, family)
					require.True(t, driver.Running(), driver.Output())
				})
			}
			(&trial{Pair: p, driver: driver}).endDrivers(t)
			w.Await(t, host.Unit, host.Down.With("NRestarts", "0"))
			w.RequireNothingOf(t, host.Unit)
		})
	}
}
