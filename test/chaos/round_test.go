//go:build chaos

package chaos

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// round is one plan as it is played.
type round struct {
	*cluster
	plan
	t      *testing.T
	began  time.Duration // clock() before the opening
	start  time.Time     // the same
	before map[*host.Host]node
	driver *lab.Process
	family []int // the actor's pids
	done   []*done

	stopped map[*host.Host][]string
	weather map[*host.Host]func()
	powered []*host.Host

	healed time.Duration
	ends   map[*host.Host][]event
	holds  string
}

// done is a deed as it happened.
type done struct {
	deed
	hit    bool // there was something to hit
	from   time.Duration
	lasted time.Duration
}

func (d *done) String() string {
	text := fmt.Sprintf("%.1fs %s on %s", d.from.Seconds(), d.name, d.host)
	if !d.hit {
		return text + " (nothing to hit)"
	}
	if d.lasted > 0 {
		text += fmt.Sprintf(" for %.1fs", d.lasted.Seconds())
	}
	return text
}

func newRound(t *testing.T, c *cluster, p plan) *round {
	return &round{
		t: t, cluster: c, plan: p, before: map[*host.Host]node{}, stopped: map[*host.Host][]string{},
		weather: map[*host.Host]func(){}, ends: map[*host.Host][]event{},
	}
}

// play brings the cluster in order, does the deeds and undoes them, and looks at what came of it.
func (r *round) play() {
	if !r.inOrder {
		r.heal()
		r.inOrder = true
	}
	r.t.Cleanup(func() {
		if r.t.Failed() {
			r.tell()
		}
	})
	if r.load.host != "" {
		lab.Until(r.t, healLimit, "the GCS has buried the nodes that died", func() bool {
			return strings.Contains(r.look(r.t, r.head).state["StatusText"], "; 3 of 3 nodes")
		})
		how := map[bool][]string{true: {"deaf"}}[r.load.deaf]
		r.driver, r.family = (&host.Pair{Head: r.head, Worker: r.host(r.load.host)}).Busy(r.t, how...)
	}
	for _, h := range r.all() {
		r.before[h] = r.look(r.t, h)
	}
	r.began, r.start = host.Clock(r.t), time.Now()
	r.opening.do(r)
	r.act()
	r.healed = r.heal()
	r.judge()
	r.endDriver()
	r.holds = r.requireNoGrowth(r.t)
}

// tell logs what a reader of a failed round wants to know, beside the journals, which the lab logs.
func (r *round) tell() {
	r.t.Logf("planned: %s\ndone: %v", r.plan, r.done)
	for _, h := range r.all() {
		if h.On() {
			r.t.Logf(
				"Ray on %s:\n%s", h.Name,
				h.Run(r.t, `cd /var/lib/raynoded/role/ray/session_latest/logs && tail -n 25 gcs_server.* raylet.*`).Stdout,
			)
		}
	}
}

// act does each deed at its moment, and undoes it at its.
func (r *round) act() {
	type step struct {
		at time.Duration
		do func()
	}
	var steps []step
	for _, d := range r.deeds {
		h, it := r.host(d.host), &done{deed: d}
		r.done = append(r.done, it)
		steps = append(steps, step{d.at, func() {
			it.from = time.Since(r.start)
			it.hit = h.On() && d.do(r, h, d)
		}})
		if d.undo != nil {
			steps = append(steps, step{d.at + d.lasts, func() {
				if it.hit && (h.On() || d.name == "power cut") {
					d.undo(r, h)
				}
				it.lasted = time.Since(r.start) - it.from
			}})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	for _, s := range steps {
		time.Sleep(time.Until(r.start.Add(s.at)))
		s.do()
	}
}

const (
	healLimit = 2 * time.Minute
	firm      = 3 * time.Second // for as long as that it must stay complete
)

// heal starts whoever is inactive until the cluster is complete, and returns how long that took. Of
// a unit that is not active nothing must be left.
func (r *round) heal() time.Duration {
	began := time.Now()
	var same string
	var since time.Time
	for {
		now, complete := "", true
		for _, h := range r.all() {
			n := r.look(r.t, h)
			now += h.Name + ": " + n.same()
			complete = complete && n.complete
			switch state := n.state["ActiveState"]; {
			case n.state["Job"] != "": // between the stop and the start of a restart
			case state == "inactive", state == "failed":
				r.requireEnded(h, n)
				h.Sh(r.t, "systemctl reset-failed "+host.Unit+"; systemctl start --no-block "+host.Unit)
			}
			require.Less(r.t, time.Since(began), healLimit, "%s does not come to order: %v", h.Name, n.state)
		}
		if !complete || now != same {
			same, since = now, time.Now()
		}
		if complete && time.Since(since) > firm && r.listed() {
			return since.Sub(began)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// listed says whether the GCS lists the three nodes and no former one of them, which would get the
// next round's actor.
func (r *round) listed() bool {
	return strings.Contains(r.head.Run(r.t, "raynoded wait --nodes 3 --timeout 3s --json").Stdout, `"nodes": 3,`)
}

// requireEnded looks at a unit that has ended for good, as it says.
func (r *round) requireEnded(h *host.Host, n node) {
	r.t.Helper()
	if n.state["ActiveState"] == "failed" {
		require.True(r.t, r.excuses(h, killed), "%s has failed: %v", h.Name, n.state)
	}
	var family []int
	if h.Name == r.load.host {
		family = r.family
	}
	if slices.Contains(r.powered, h) {
		family = nil // other processes have their numbers now
	}
	h.RequireNothingOf(r.t, host.Unit, family...)
	require.Empty(r.t, r.held(h), "ports held or memory left on %s", h.Name)
}

// held are the ports that somebody listens on and the memory that is left, but for what programs of
// the test itself have.
func (r *round) held(h *host.Host) []string {
	r.t.Helper()
	text := h.Sh(r.t, "ss -Htlnup; find /dev/shm -mindepth 1")
	own := slices.DeleteFunc(h.Procs(r.t), func(p lab.Proc) bool { return p.Cgroup != "/lab" })
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool {
		return line == "" ||
			slices.ContainsFunc(own, func(p lab.Proc) bool { return strings.Contains(line, fmt.Sprintf(",pid=%d,", p.Pid)) })
	})
}

// judge compares what happened with what the faults excuse.
func (r *round) judge() {
	for _, h := range r.all() {
		r.ends[h] = r.endings(h)
		for _, e := range r.ends[h] {
			require.True(
				r.t, slow(e) || r.excuses(h, e.text), "no fault of this round excuses that %s %s (%s later)", h.Name, e.text,
				e.at-r.began,
			)
		}
		require.False(r.t, r.doomed() && r.harmed(h) && len(r.ends[h]) == 0, "%s has survived: %v", h.Name, r.done)
		r.requireCounted(h)
		r.requireReaped(h)
		if !r.harmed(h) {
			r.requireSame(h)
		}
	}
	if r.load.host != "" && !r.harmed(r.head) && !r.harmed(r.host(r.load.host)) {
		r.requireBusy()
	}
}

// doomed says whether the round is one fault that surely ends whom it excuses.
func (r *round) doomed() bool {
	return r.opening.hits == "" && len(r.done) == 1 && r.done[0].hit && r.done[0].sure
}

// excuses says whether a unit may have ended so.
func (r *round) excuses(h *host.Host, text string) bool {
	return slices.ContainsFunc(r.excused(h), func(pattern string) bool {
		return regexp.MustCompile("^(?s:" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + ")$").
			MatchString(text)
	})
}

// harmed says whether a unit may have ended at all.
func (r *round) harmed(h *host.Host) bool {
	return len(r.excused(h)) > 0 || slices.ContainsFunc(r.ends[h], slow)
}

// slow says whether a life ended by a time-out of Ray's own: on a machine with too much to do its
// raylet gives up on its agent after 30 s. That is nobody's fault here, and the unit comes back
// from it.
func slow(e event) bool {
	return strings.HasPrefix(e.text, "Ray failed: raylet ended with exit code 1: ") &&
		strings.Contains(e.text, "Timed out waiting for file ")
}

// windows is how long faults that are tolerated may last together.
const windows = 4500 * time.Millisecond

// excused is how a unit may have ended.
func (r *round) excused(h *host.Host) []string {
	var all []string
	if strings.Contains(r.opening.hits, h.Name) {
		all = append(all, asked)
	}
	if strings.Contains(r.opening.hits, r.head.Name) && h != r.head {
		all = append(all, lost("gone", "another")...)
	}
	var tolerated time.Duration
	for _, d := range r.done {
		hit := r.host(d.host)
		if !d.hit {
			continue
		}
		if hit == h {
			all = append(all, d.own...)
		}
		if d.downs && hit == r.head && h != r.head {
			all = append(all, lost("gone", "another")...)
		}
		if h != r.head && slices.Contains(r.lose(hit), h) {
			all = append(all, d.cuts...)
			if d.tolerated {
				tolerated += d.lasted
			}
		}
	}
	if tolerated > windows {
		all = append(all, lost("gone", "silent", "stuck")...)
	}
	if r.persistent {
		all = slices.DeleteFunc(all, func(pattern string) bool { return strings.Contains(pattern, "head lost: ") })
	}
	return all
}

// requireCounted compares systemd's account of the exits and restarts with the reasons that
// raynoded gave.
func (r *round) requireCounted(h *host.Host) {
	r.t.Helper()
	counts := map[string]int{}
	for _, e := range r.ends[h] {
		switch {
		case strings.HasPrefix(e.text, "Ray failed: "):
			counts["70"]++
		case strings.HasPrefix(e.text, "the head cannot be reached: ") && h == r.job:
			counts["69"]++
		case strings.HasPrefix(e.text, "killed"):
			counts["killed"]++
		}
	}
	exits, restarts := r.exits(h)
	for _, code := range exits {
		require.Positive(r.t, counts[code], "%s has ended with %s and no reason for it: %v", h.Name, code, r.ends[h])
		counts[code]--
		counts["killed"]++
	}
	require.LessOrEqual(r.t, restarts, counts["killed"], "restarts of %s by systemd: %v", h.Name, r.ends[h])
}

// requireReaped looks for the dead that raynoded has not reaped, and for cgroups that nobody needs.
func (r *round) requireReaped(h *host.Host) {
	r.t.Helper()
	main := h.MainPID(r.t, host.Unit)
	lab.Until(r.t, 5*time.Second, "no child of raynoded on "+h.Name+" is a zombie", func() bool {
		return !slices.ContainsFunc(
			h.ProcsIn(r.t, host.Unit),
			func(p lab.Proc) bool { return p.State == "Z" && fmt.Sprint(p.Parent) == main },
		)
	})
	leaves := h.Sh(r.t, "find /sys/fs/cgroup/system.slice/"+host.Unit+" -mindepth 1 -type d")
	require.Len(r.t, strings.Fields(leaves), 1, "one cgroup for the one Ray on %s: %s", h.Name, leaves)
}

// requireSame wants the same raynoded and the same Ray as before.
func (r *round) requireSame(h *host.Host) {
	r.t.Helper()
	now := r.look(r.t, h)
	require.Equal(r.t, r.before[h].same(), now.same(), "%s must not have noticed anything", h.Name)
	require.Equal(r.t, r.before[h].state["NRestarts"], now.state["NRestarts"], h.Name)
}

func (r *round) requireBusy() {
	r.t.Helper()
	require.True(r.t, r.driver.Running(), "the driver has ended: %s", r.driver.Output())
	var alive []int
	for _, p := range r.host(r.load.host).ProcsIn(r.t, host.Unit) {
		alive = append(alive, p.Pid)
	}
	require.Subset(r.t, alive, r.family, "the actor and its children must live")
}

// endDriver ends the driver, and the actor with what it has started: Ray itself lets an actor live
// on that is at work when its driver is killed, and what that has started in sessions of its own.
func (r *round) endDriver() {
	if r.driver == nil {
		return
	}
	if r.driver.Running() {
		r.driver.Signal(r.t, 9)
	}
	r.driver.Wait(r.t, lab.Patience)
	r.driver = nil
	h := r.host(r.load.host)
	for _, p := range h.ProcsIn(r.t, host.Unit) {
		if slices.Contains(r.family, p.Pid) &&
			regexp.MustCompile("ray::Busy|sleep 1000").MatchString(strings.Join(p.Args, " ")) {
			h.Run(r.t, fmt.Sprintf("kill -KILL %d", p.Pid)) // it may just have ended
		}
	}
}

// String is the round on one line.
func (r *round) String() string {
	var parts []string
	for _, d := range r.done {
		parts = append(parts, d.String())
	}
	text := fmt.Sprintf("%s; %s %s; %s => ", r.opening.name, r.load.name(), r.load.host, strings.Join(parts, "; "))
	for _, h := range r.all() {
		text += h.Name + ": "
		if !r.harmed(h) {
			text += "unharmed; "
			continue
		}
		if slices.Contains(r.powered, h) {
			text += "was off; "
		} else if len(r.ends[h]) == 0 {
			text += "goes on; "
		}
		for _, e := range r.ends[h] {
			text += fmt.Sprintf("%.1fs %.60s; ", (e.at - r.began).Seconds(), e.text)
		}
	}
	return fmt.Sprintf(
		"%s %scomplete after %.1fs (%.1fs in all; %s)", time.Now().Format(time.TimeOnly), text, r.healed.Seconds(),
		time.Since(r.start).Seconds(), r.holds,
	)
}
