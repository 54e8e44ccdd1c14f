//go:build chaos

package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// plan is all that chance decides of a round, before it begins.
type plan struct {
	opening opening
	load    load
	deeds   []deed // in the order of their moments
}

// deed is a mischief with everything about it decided.
type deed struct {
	*mischief
	host  string
	at    time.Duration // since the round began
	lasts time.Duration // until it is undone; 0: nothing is to undo
	delay time.Duration // of one that waits for its moment itself
}

func (d deed) String() string {
	text := fmt.Sprintf("%.1fs %s on %s", d.at.Seconds(), d.name, d.host)
	if d.lasts > 0 {
		text += fmt.Sprintf(" for %.1fs", d.lasts.Seconds())
	}
	return text
}

// opening is how a round begins: the faults meet nodes that run, start, stop or wait.
type opening struct {
	name   string
	weight int
	do     func(*round)
	hits   string // the hosts whose units are asked to stop by it
}

// load is what the cluster works on meanwhile.
type load struct {
	host string // of the actor; "": there is none
	deaf bool   // it ignores SIGTERM
}

func (l load) name() string {
	switch {
	case l.host == "":
		return "idle"
	case l.deaf:
		return "deaf actor"
	}
	return "busy actor"
}

// draw decides a round. It asks the dice as often whatever falls, and nothing but them.
func draw(seed uint64, n int) plan {
	dice := rand.New(rand.NewPCG(seed, uint64(n)))
	between := func(least, most time.Duration) time.Duration {
		return least + time.Duration(dice.Float64()*float64(most-least))
	}
	var p plan
	p.opening = one(dice, openings, func(o opening) int { return o.weight })
	p.load = load{host: []string{"", "", "b", "c", "b", "c", "c"}[dice.IntN(7)], deaf: dice.IntN(3) == 0}
	if p.opening.name == headAway {
		p.load = load{}
	}
	for range 1 + dice.IntN(3) {
		m := one(dice, mischiefs, func(m mischief) int { return m.weight })
		p.deeds = append(p.deeds, deed{
			mischief: &m, host: string(m.on[dice.IntN(len(m.on))]),
			at: between(0, 6*time.Second), lasts: between(m.least, m.most), delay: between(0, 1200*time.Millisecond),
		})
	}
	slices.SortStableFunc(p.deeds, func(a, b deed) int { return int(a.at - b.at) })
	return p
}

func one[T any](dice *rand.Rand, from []T, weight func(T) int) T {
	sum := 0
	for _, x := range from {
		sum += weight(x)
	}
	left := dice.IntN(sum)
	for _, x := range from {
		if left -= weight(x); left < 0 {
			return x
		}
	}
	panic("weights")
}

func (p plan) String() string {
	var deeds []string
	for _, d := range p.deeds {
		deeds = append(deeds, d.String())
	}
	return fmt.Sprintf("%s, %s %s: %s", p.opening.name, p.load.name(), p.load.host, strings.Join(deeds, "; "))
}
