package watchdog

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// seen is one thing that an episode is told.
type seen struct {
	asked, at time.Duration
	verdict   Verdict // "": we were late
	open      bool    // the stream
}

func TestEpisode(t *testing.T) {
	for name, c := range map[string]struct {
		seen []seen
		open bool // the stream, afterwards
		loss Loss // "": all is well
		end  time.Duration
	}{
		"well":                           {[]seen{{0, 1 * s, Answered, true}}, true, "", 0},
		"refused counts from the answer": {[]seen{{0, 2 * s, Refused, false}}, false, LossGone, 2*s + 500*ms},
		"refused again": {
			[]seen{{0, 0, Refused, false}, {s, s, Refused, false}}, false, LossGone, 500 * ms,
		},
		"refused, silent, refused": {
			[]seen{{0, 0, Refused, false}, {0, s, Silent, false}, {2 * s, 2 * s, Refused, false}}, false, LossGone,
			2*s + 500*ms,
		},
		"refused, stuck, refused": {
			[]seen{{0, 0, Refused, false}, {0, s, Stuck, false}, {2 * s, 2 * s, Refused, false}}, false, LossGone,
			2*s + 500*ms,
		},
		"refused while the stream is open": {[]seen{{0, 0, Refused, true}}, true, LossStuck, 60 * s},
		"refused, then the stream ends": {
			[]seen{{0, 0, Refused, true}, {s, s, Refused, false}}, false, LossGone, s + 500*ms,
		},
		"refused, then the stream opens":  {[]seen{{0, 0, Refused, false}}, true, LossStuck, 60 * s},
		"silent counts from the question": {[]seen{{s, 6 * s, Silent, false}}, false, LossSilent, 31 * s},
		"silent while the stream is open": {[]seen{{s, 6 * s, Silent, true}}, true, LossStuck, 61 * s},
		"silent, then the stream ends":    {[]seen{{s, 6 * s, Silent, true}}, false, LossSilent, 31 * s},
		"silent, refused": {
			[]seen{{0, 5 * s, Silent, false}, {6 * s, 6 * s, Refused, false}}, false, LossGone, 6*s + 500*ms,
		},
		"silent, refused, silent": {
			[]seen{{0, 5 * s, Silent, false}, {6 * s, 6 * s, Refused, false}, {7 * s, 12 * s, Silent, false}}, false,
			LossSilent, 37 * s,
		},
		"silent, refused, for ever": {
			[]seen{{0, 5 * s, Silent, false}, {58 * s, 58 * s, Refused, false}, {58 * s, 59 * s, Silent, false}}, false,
			LossStuck, 60 * s,
		},
		"silent, stuck": {
			[]seen{{0, 5 * s, Silent, false}, {6 * s, 11 * s, Stuck, false}}, false, LossStuck, 60 * s,
		},
		"stuck, silent": {
			[]seen{{0, 5 * s, Stuck, false}, {6 * s, 11 * s, Silent, false}}, false, LossSilent, 36 * s,
		},
		"stuck, silent late": {
			[]seen{{0, 5 * s, Stuck, false}, {40 * s, 45 * s, Silent, false}}, false, LossStuck, 60 * s,
		},
		"stuck, refused late": {
			[]seen{{0, 5 * s, Stuck, false}, {59800 * ms, 59800 * ms, Refused, false}}, false, LossStuck, 60 * s,
		},
		"everything, then an answer": {
			[]seen{{0, 1, Stuck, true}, {2, 3, Silent, false}, {4, 5, Refused, false}, {6, 7, Answered, false}}, false, "", 0,
		},
		"an answer, then silence": {
			[]seen{{0, 5 * s, Silent, false}, {9 * s, 9 * s, Answered, false}, {20 * s, 25 * s, Silent, false}}, false,
			LossSilent, 50 * s,
		},
		"late while well": {[]seen{{0, 0, Answered, true}, {0, 9 * s, "", true}}, true, "", 0},
		"late while refused": {
			[]seen{{0, 0, Refused, false}, {0, 9 * s, "", false}}, false, LossGone, 9*s + 500*ms,
		},
		"late while silent": {
			[]seen{{0, 5 * s, Silent, false}, {0, 40 * s, "", false}}, false, LossSilent, 70 * s,
		},
		"late while stuck": {
			[]seen{{0, 5 * s, Stuck, true}, {0, 70 * s, "", true}}, true, LossStuck, 130 * s,
		},
		"unable while the stream is open": {[]seen{{0, 0, Unable, true}}, true, "", 0},
		"unable counts from the question": {[]seen{{s, 6 * s, Unable, false}}, false, lossUnable, 61 * s},
		"refused, unable": {
			[]seen{{0, 0, Refused, false}, {100 * ms, 100 * ms, Unable, false}}, false, lossUnable, 60 * s,
		},
		"silent, unable": {
			[]seen{{0, 5 * s, Silent, false}, {20 * s, 20 * s, Unable, false}}, false, lossUnable, 60 * s,
		},
		"silent, unable, silent": {
			[]seen{{0, 5 * s, Silent, false}, {20 * s, 20 * s, Unable, false}, {20 * s, 25 * s, Silent, false}}, false,
			LossSilent, 50 * s,
		},
		"unable, refused": {
			[]seen{{0, 0, Unable, false}, {9 * s, 9 * s, Refused, false}}, false, LossGone, 9*s + 500*ms,
		},
		"unable, then the stream opens": {[]seen{{0, 0, Unable, false}, {s, s, Unable, true}}, true, "", 0},
		"stuck, stream open, and unable": {
			[]seen{{0, 5 * s, Stuck, true}, {9 * s, 9 * s, Unable, true}}, true, LossStuck, 60 * s,
		},
		"late while unable": {
			[]seen{{0, 0, Unable, false}, {0, 9 * s, "", false}}, false, lossUnable, 69 * s,
		},
		"what no verdict says, is an absence": {[]seen{{0, 0, "nonsense", false}}, false, LossStuck, 60 * s},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			e := episode{policy: defaults()}
			for _, seen := range c.seen {
				if seen.verdict == "" {
					e.restart(start.Add(seen.at))
					continue
				}
				e.add(start.Add(seen.asked), start.Add(seen.at), Answer{Verdict: seen.verdict}, seen.open)
			}
			next, doubt := e.next(c.open)
			require.Equal(t, c.loss != "", doubt)
			if doubt {
				require.Equal(t, c.loss, next.loss)
				require.Equal(t, c.end, next.end().Sub(start))
			} else {
				require.Equal(t, episode{policy: defaults()}, e)
			}
		})
	}
}

// The longest window bounds every mixture, so that one limit for all ways of
// being away (a head that may come back) is what it says.
func TestEpisode_OneLimitForAll(t *testing.T) {
	start := time.Now()
	e := episode{policy: Policy{15 * time.Minute, 15 * time.Minute, 15 * time.Minute, 5 * s}}
	for i := range 100 {
		at := start.Add(time.Duration(i) * 9 * s)
		e.add(at, at, Answer{Verdict: []Verdict{Silent, Refused, Stuck}[i%3]}, i%2 == 0)
		next, doubt := e.next(false)
		require.True(t, doubt)
		require.Equal(t, start.Add(15*time.Minute), next.end())
	}
}

func TestWindow_Pauses(t *testing.T) {
	for _, c := range []struct{ length, pause, timeout, lastCall time.Duration }{
		{500 * ms, 50 * ms, 125 * ms, 483333334},
		{100 * ms, 50 * ms, 25 * ms, 96666667},
		{30 * s, 3 * s, 7500 * ms, 29 * s},
		{60 * s, 5 * s, 15 * s, 58 * s},
		{15 * time.Minute, 5 * s, 15 * s, 870 * s},
	} {
		w := window{since: time.Now(), length: c.length}
		require.Equal(t, c.pause, w.pause(5*s))
		require.Equal(t, c.timeout, w.probeTimeout())
		require.Equal(t, c.lastCall, w.lastCall().Sub(w.since))
	}
}

// Whatever is seen: no loss before a window has passed since the last answer or
// lateness, none decided later than the longest window after the first doubt.
func FuzzEpisode(f *testing.F) {
	f.Add([]byte{0x10, 0x21, 0x32, 0x43, 0x54})
	f.Add([]byte{0x91, 0x01, 0x92, 0x13, 0xa4, 0x00})
	verdicts := []Verdict{Answered, Refused, Silent, Stuck, Unable, Refused, Silent}
	p := defaults()
	f.Fuzz(func(t *testing.T, script []byte) {
		now := time.Now()
		e := episode{policy: p}
		calm := now         // the last answer or lateness
		var first time.Time // verdict since then that was no answer, or lateness
		for _, b := range script {
			asked := now
			now = now.Add(time.Duration(b>>4) * 700 * ms)
			open := b&8 != 0
			if b&7 == 7 {
				e.restart(now)
				calm = now
				if !first.IsZero() {
					first = now
				}
			} else {
				v := verdicts[b&7]
				unable := !e.unable.IsZero()
				e.add(asked, now, Answer{v, errors.New(string(v))}, open)
				switch {
				case v == Unable && open && !unable:
				case v == Answered, v == Unable && open:
					calm, first = now, time.Time{}
				case first.IsZero():
					first = now
				}
			}
			for _, streamOpen := range []bool{open, !open} {
				next, doubt := e.next(streamOpen)
				if doubt == first.IsZero() {
					t.Fatalf("doubt %v, but the last answer was %v ago", doubt, now.Sub(calm))
				}
				if !doubt {
					continue
				}
				if next.end().Sub(calm) < p.Refused || next.since.Before(calm) {
					t.Fatalf("%s: over %v after an answer", next.loss, next.end().Sub(calm))
				}
				if late := next.end().Sub(first); late > p.Stuck {
					t.Fatalf("%s: over %v after the first doubt", next.loss, late)
				}
				if next.loss == LossGone && streamOpen {
					t.Fatal("gone, though the stream is open")
				}
			}
		}
	})
}
