package watchdog

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A policy that is replaced counts at once, in an episode too, and a stream that was opened for
// another Silent is opened anew.
func TestWatch_PolicyReplaced(t *testing.T) {
	for name, c := range map[string]struct {
		script  []moment
		at      time.Duration
		edit    func(*Policy)
		err     string
		after   time.Duration // since the first probe without an answer
		follows int
	}{
		"a shorter window while it runs": {
			[]moment{{10 * s, down, Silent}}, 20 * s, func(p *Policy) { p.Silent = 15 * s },
			"head lost: silent: nothing comes back for 15s: i/o timeout", 15 * s, 1,
		},
		"one that is over by then": {
			// After the first probe, before the second.
			[]moment{{3 * s, down, Silent}}, 23 * s, func(p *Policy) { p.Silent = 5 * s },
			"head lost: silent: nothing comes back for 20s: i/o timeout", 20 * s, 1,
		},
		"a longer one": {
			[]moment{{10 * s, down, Silent}}, 39 * s, func(p *Policy) { p.Silent = 45 * s },
			"head lost: silent: nothing comes back for 45s: i/o timeout", 45 * s, 1,
		},
		"before": {
			[]moment{{10 * s, down, Refused}}, 5 * s, func(p *Policy) { p.Refused = 2 * s },
			"head lost: gone: every connection refused for 2s: connection refused", 2 * s, 1,
		},
		"the stream is opened anew": {
			[]moment{{60 * s, down, Refused}}, 20 * s, func(p *Policy) { p.Silent = 10 * s },
			"head lost: gone: every connection refused for 500ms: connection refused", 500 * ms, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				h := newFakeHead()
				go h.live(ctx, c.script)
				synctest.Wait()
				var policy atomic.Pointer[Policy]
				first := defaults()
				policy.Store(&first)
				replaced := make(chan struct{})
				go func() {
					time.Sleep(c.at)
					next := defaults()
					c.edit(&next)
					policy.Store(&next)
					close(replaced)
				}()
				err := Watch(ctx, func() (Policy, <-chan struct{}) {
					p := *policy.Load()
					if p == first {
						return p, replaced
					}
					return p, nil
				}, h.head(), func(string) {})
				require.EqualError(t, err, c.err)
				require.InDelta(t, c.after, time.Since(h.start)-h.first, float64(minPause))
				require.Equal(t, c.follows, h.follows)
			})
		})
	}
}

// Another pause between two probes begins with the next one.
func TestWatch_IntervalReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*s, errTestOver)
		defer cancel()
		h := newFakeHead()
		go h.live(ctx, nil)
		synctest.Wait()
		slow, replaced := defaults(), make(chan struct{})
		slow.Interval = time.Hour
		time.AfterFunc(10*s, func() { close(replaced) })
		err := Watch(ctx, func() (Policy, <-chan struct{}) {
			if time.Since(h.start) < 10*s {
				return slow, replaced
			}
			return Policy{slow.Refused, slow.Silent, slow.Stuck, s}, nil
		}, h.head(), func(string) {})
		require.ErrorIs(t, err, errTestOver)
		require.GreaterOrEqual(t, h.asked, 8)
		require.LessOrEqual(t, h.asked, 15)
	})
}
