//go:build chaos

package chaos

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// mischief is one kind of fault, and what it excuses. A unit that no fault of its round excuses
// must not notice anything.
type mischief struct {
	name        string
	weight      int
	on          string        // names of hosts, each as likely as it is often
	least, most time.Duration // how long it lasts
	// do returns false if there is nothing to hit just now, such as a program that does not run.
	do   func(*round, *host.Host, deed) bool
	undo func(*round, *host.Host)

	own   []string // how the unit of that host may end
	downs bool     // on the head: its workers may lose it
	cuts  []string // how those may lose their head who lose sight of that host or, if it is a worker, it itself
	// sure: alone, in a cluster that runs, it ends every unit that it excuses.
	sure bool
	// tolerated: it is shorter than every window, and excuses nothing, unless several add up to more.
	tolerated bool
}

// How nodes end. * stands for anything.
const (
	asked     = "asked to stop: *"
	rayFailed = "Ray failed: *"
	drained   = "the node was drained away by someone*"
	killed    = "killed*" // by a signal: what systemd says of it
)

func lost(words ...string) []string {
	var all []string
	for _, word := range words {
		text := "head lost: " + word + ": *"
		all = append(all, text, "the head cannot be reached: it went away while this node joined: "+text)
	}
	return all
}

// Ray's programs, by their command lines.
const (
	aGCS      = `/gcs_server `
	aRaylet   = `/raylet/raylet `
	anAgent   = `^ray::DashboardAgent`
	anEnv     = `^ray::RuntimeEnvAgent`
	aLog      = `/log_monitor\.py `
	aMonitor  = `/monitor\.py `
	aClient   = `ray\.util\.client\.server`
	aRayStart = `/ray start `
	aRaynoded = `^/usr/bin/raynoded run `
)

const (
	blip  = 2200 * time.Millisecond // two of them are shorter than any window
	whole = 12 * time.Second        // longer than any window
)

var mischiefs = []mischief{
	{
		name:   "gcs_server killed",
		weight: 4,
		on:     "a",
		do:     sends("KILL", aGCS),
		own:    []string{rayFailed},
		downs:  true,
		sure:   true,
	},
	{
		name:   "gcs_server terminated",
		weight: 2,
		on:     "a",
		do:     sends("TERM", aGCS),
		own:    []string{rayFailed},
		downs:  true,
		sure:   true,
	},
	{name: "gcs_server stopped for a moment", weight: 3, on: "a", least: 300 * time.Millisecond, most: blip,
		do: sends("STOP", aGCS), undo: continues, tolerated: true},
	{name: "gcs_server stuck", weight: 2, on: "a", least: 11 * time.Second, most: whole,
		do: sends(
			"STOP",
			aGCS,
		), undo: continues, own: []string{rayFailed}, cuts: lost("stuck", "silent"), downs: true, sure: true},
	{
		name:   "raylet killed",
		weight: 4,
		on:     "abbcc",
		do:     sends("KILL", aRaylet),
		own:    []string{rayFailed},
		downs:  true,
		sure:   true,
	},
	{
		name:   "raylet terminated",
		weight: 2,
		on:     "abc",
		do:     sends("TERM", aRaylet),
		own:    []string{rayFailed, drained},
		downs:  true,
		sure:   true,
	},
	{
		name:   "raylet crashed",
		weight: 1,
		on:     "abc",
		do:     sends("SEGV", aRaylet),
		own:    []string{rayFailed},
		downs:  true,
		sure:   true,
	},
	{name: "raylet stopped for a moment", weight: 3, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: sends("STOP", aRaylet), undo: continues},
	{
		name:   "dashboard agent killed",
		weight: 3,
		on:     "abc",
		do:     sends("KILL", anAgent),
		own:    []string{rayFailed},
		downs:  true,
		sure:   true,
	},
	{name: "dashboard agent stopped for a moment", weight: 2, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: sends("STOP", anAgent), undo: continues},
	{
		name:   "runtime-env agent killed",
		weight: 2,
		on:     "abc",
		do:     sends("KILL", anEnv),
		own:    []string{rayFailed},
		downs:  true,
		sure:   true,
	},
	{name: "log monitor killed", weight: 2, on: "abc", do: sends("KILL", aLog)},
	{name: "log monitor stopped for a moment", weight: 1, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: sends("STOP", aLog), undo: continues},
	{name: "monitor killed", weight: 1, on: "a", do: sends("KILL", aMonitor)},
	{name: "client server killed", weight: 1, on: "a", do: sends("KILL", aClient)},
	{name: "`ray start` killed", weight: 3, on: "abc", do: starting("KILL"), own: []string{asked, rayFailed}, downs: true},
	{
		name:   "`ray start` terminated",
		weight: 2,
		on:     "abc",
		do:     starting("TERM"),
		own:    []string{asked, rayFailed},
		downs:  true,
	},
	{name: "`ray start` stopped for a moment", weight: 2, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: starting("STOP"), undo: continues, own: []string{asked}, downs: true},

	{
		name:   "raynoded killed",
		weight: 3,
		on:     "abbbc",
		do:     sends("KILL", aRaynoded),
		own:    []string{killed},
		downs:  true,
		sure:   true,
	},
	{
		name:   "raynoded aborted",
		weight: 1,
		on:     "abbbc",
		do:     sends("ABRT", aRaynoded),
		own:    []string{killed},
		downs:  true,
		sure:   true,
	},
	{
		name:   "raynoded terminated",
		weight: 2,
		on:     "abbbc",
		do:     sends("TERM", aRaynoded),
		own:    []string{asked},
		downs:  true,
		sure:   true,
	},
	{
		name:   "raynoded terminated twice",
		weight: 1,
		on:     "abbbc",
		do:     twice(sends("TERM", aRaynoded)),
		own:    []string{asked},
		downs:  true,
		sure:   true,
	},
	{name: "raynoded gets a hang-up", weight: 1, on: "abc", do: sends("HUP", aRaynoded)},
	{name: "raynoded stopped for a moment", weight: 3, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: sends("STOP", aRaynoded), undo: continues},
	{name: "raynoded hangs", weight: 1, on: "abbbc", least: 11 * time.Second, most: whole,
		do: sends("STOP", aRaynoded), undo: continues, own: []string{killed}, downs: true, sure: true},

	{name: "cable out for a moment", weight: 5, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: cable(true), undo: plugs, tolerated: true},
	{name: "cable out", weight: 3, on: "abc", least: 9 * time.Second, most: whole,
		do: cable(true), undo: plugs, cuts: lost("silent", "stuck", "gone", "another"), sure: true},
	{name: "new connections rejected for a moment", weight: 3, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: filters("tcp flags & (syn|ack) == syn reject with tcp reset"), undo: unfiltered, tolerated: true},
	{name: "every connection reset", weight: 2, on: "abc", least: time.Second, most: 3 * time.Second,
		do: filters("meta l4proto tcp reject with tcp reset"), undo: unfiltered, cuts: lost("gone")},
	{name: "one direction only, for a moment", weight: 2, on: "abc", least: 300 * time.Millisecond, most: blip,
		do: weather(lab.Weather{Mute: true}), undo: mended, tolerated: true},
	{name: "bad weather", weight: 3, on: "abc", least: time.Second, most: 2 * blip,
		do: weather(lab.Weather{Loss: 0.2, Delay: 200 * time.Millisecond}), undo: mended, tolerated: true},

	{name: "unit stopped", weight: 3, on: "abbc", do: systemctl("stop"), own: []string{asked}, downs: true, sure: true},
	{
		name:   "unit restarted",
		weight: 3,
		on:     "abbc",
		do:     systemctl("restart"),
		own:    []string{asked},
		downs:  true,
		sure:   true,
	},
	{
		name:   "unit restarted twice",
		weight: 2,
		on:     "abc",
		do:     twice(systemctl("restart")),
		own:    []string{asked},
		downs:  true,
		sure:   true,
	},
	{name: "unit stopped and started", weight: 1, on: "abc", do: stopStart, own: []string{asked}, downs: true, sure: true},
	{
		name:   "all units restarted",
		weight: 1,
		on:     "a",
		do:     restartAll,
		own:    []string{asked},
		downs:  true,
		cuts:   []string{asked},
		sure:   true,
	},
	{
		name:   "whole unit killed",
		weight: 2,
		on:     "abbc",
		do:     systemctl("kill --signal=KILL --kill-whom=all"),
		own:    []string{killed},
		downs:  true,
		sure:   true,
	},
	{
		name:   "whole unit terminated",
		weight: 2,
		on:     "abbc",
		do:     systemctl("kill --signal=TERM --kill-whom=all"),
		own:    []string{asked},
		downs:  true,
		sure:   true,
	},

	{name: "power cut", weight: 2, on: "abbc", least: 500 * time.Millisecond, most: whole,
		do: powerCut, undo: powerOn, own: []string{killed}, cuts: lost("silent", "stuck", "gone", "another")},
	{
		name:   "reboot",
		weight: 1,
		on:     "abbc",
		do:     reboots,
		own:    []string{asked},
		downs:  true,
		cuts:   lost("silent", "another"),
		sure:   true,
	},
}

// headAway is the opening in which the workers wait.
const headAway = "the workers wait"

var openings = []opening{
	{name: "all run", weight: 10, do: func(*round) {}},
	{name: "the head restarts", weight: 2, hits: "a", do: opens("restart", "a")},
	{name: "b restarts", weight: 2, hits: "b", do: opens("restart", "b")},
	{name: "c restarts", weight: 2, hits: "c", do: opens("restart", "c")},
	{name: "the head stops", weight: 1, hits: "a", do: opens("stop", "a")},
	{name: "b stops", weight: 1, hits: "b", do: opens("stop", "b")},
	{name: headAway, weight: 3, hits: "a", do: headGoes},
}

func opens(verb, name string) func(*round) {
	return func(r *round) { r.host(name).Sh(r.t, "systemctl "+verb+" --no-block "+host.Unit) }
}

// headGoes stops the head, which comes back after 3 s, and starts the worker that left with it:
// both workers wait. Those of a persistent head stay as they are.
func headGoes(r *round) {
	r.head.Sh(r.t, "systemctl stop "+host.Unit)
	if !r.persistent {
		r.job.Await(r.t, host.Unit, host.State{"ActiveState": "inactive"})
		r.stands.Await(r.t, host.Unit, host.Up.With("StatusText", "waiting: *"))
		r.job.Sh(r.t, "systemctl start --no-block "+host.Unit)
		r.job.Await(r.t, host.Unit, host.Waiting.With("StatusText", "waiting: *"))
	}
	const in3s = "systemd-run --quiet --on-active=3s --timer-property=AccuracySec=10ms "
	r.head.Sh(r.t, in3s+"systemctl start --no-block "+host.Unit)
}

// sends sends a signal to every process of the unit whose command line matches.
func sends(signal, pattern string) func(*round, *host.Host, deed) bool {
	return func(r *round, h *host.Host, _ deed) bool {
		pids := r.matching(h, pattern)
		if len(pids) == 0 {
			return false
		}
		if h.Run(r.t, "kill -"+signal+" "+strings.Join(pids, " ")).Code != 0 {
			return false // it has just ended by itself
		}
		if signal == "STOP" {
			r.stopped[h] = append(r.stopped[h], pids...)
		}
		return true
	}
}

func (r *round) matching(h *host.Host, pattern string) []string {
	var pids []string
	for _, p := range h.ProcsIn(r.t, host.Unit) {
		if regexp.MustCompile(pattern).MatchString(strings.Join(p.Args, " ")+" ") && p.State != "Z" {
			pids = append(pids, fmt.Sprint(p.Pid))
		}
	}
	return pids
}

func continues(r *round, h *host.Host) {
	for _, pid := range r.stopped[h] {
		h.Run(r.t, "kill -CONT "+pid) // it may have gone
	}
	r.stopped[h] = nil
}

// starting restarts the unit and sends a signal to its `ray start` some time after that has
// appeared.
func starting(signal string) func(*round, *host.Host, deed) bool {
	send := sends(signal, aRayStart)
	return func(r *round, h *host.Host, d deed) bool {
		h.Sh(r.t, "systemctl restart --no-block "+host.Unit)
		for end := time.Now().Add(8 * time.Second); len(r.matching(h, aRayStart)) == 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				d.name = "unit restarted" // that was all
				return true
			}
		}
		time.Sleep(d.delay)
		send(r, h, d)
		return true
	}
}

func twice(do func(*round, *host.Host, deed) bool) func(*round, *host.Host, deed) bool {
	return func(r *round, h *host.Host, d deed) bool {
		first := do(r, h, d)
		time.Sleep(d.delay)
		second := do(r, h, d)
		return first || second
	}
}

func cable(out bool) func(*round, *host.Host, deed) bool {
	return func(r *round, h *host.Host, _ deed) bool {
		h.Cut(r.t, out)
		return true
	}
}

func plugs(r *round, h *host.Host) { cable(false)(r, h, deed{}) }

func filters(rule string) func(*round, *host.Host, deed) bool {
	return func(r *round, h *host.Host, _ deed) bool {
		h.Filter(
			r.t,
			"table inet chaos { chain in { type filter hook input priority 0; iifname "+lab.Interface+" "+rule+"; }; }",
		)
		return true
	}
}

func unfiltered(r *round, h *host.Host) { h.Filter(r.t, "") }

// weather spoils a host's line, which has one weather at a time.
func weather(w lab.Weather) func(*round, *host.Host, deed) bool {
	return func(r *round, h *host.Host, _ deed) bool {
		if r.weather[h] != nil {
			return false
		}
		w.Seed = 1
		r.weather[h] = h.Line(r.t, w)
		return true
	}
}

func mended(r *round, h *host.Host) {
	if mend := r.weather[h]; mend != nil {
		mend()
		r.weather[h] = nil
	}
}

func systemctl(verb string) func(*round, *host.Host, deed) bool {
	return func(r *round, h *host.Host, _ deed) bool {
		block := " --no-block "
		if strings.HasPrefix(verb, "kill") {
			block = " "
			if len(h.ProcsIn(r.t, host.Unit)) == 0 {
				return false
			}
		}
		return h.Run(r.t, "systemctl "+verb+block+host.Unit).Code == 0
	}
}

func stopStart(r *round, h *host.Host, d deed) bool {
	h.Sh(r.t, "systemctl stop --no-block "+host.Unit)
	time.Sleep(d.delay)
	h.Sh(r.t, "systemctl start --no-block "+host.Unit)
	return true
}

func restartAll(r *round, _ *host.Host, _ deed) bool {
	for _, h := range r.all() {
		if h.On() {
			h.Sh(r.t, "systemctl restart --no-block "+host.Unit)
		}
	}
	return true
}

func powerCut(r *round, h *host.Host, _ deed) bool {
	h.Kill(r.t)
	r.powered = append(r.powered, h)
	return true
}

func powerOn(r *round, h *host.Host) {
	if !h.On() {
		h.PowerOn(r.t)
	}
}

// reboots first ends the driver, if it is on that host: see lab.Host.PowerOff.
func reboots(r *round, h *host.Host, _ deed) bool {
	if h == r.head {
		r.endDriver()
	}
	h.Reboot(r.t)
	r.powered = append(r.powered, h)
	return true
}
