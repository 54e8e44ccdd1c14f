package watchdog

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A loop that was busy over the end of a window, but not for so long that the window begins anew,
// asks once more before it decides.
func TestWatch_BusyOverTheEndOfAWindow(t *testing.T) {
	const busy, grace = 2 * s, 2 * s / 30
	policy := Policy{Refused: 500 * ms, Silent: 2 * s, Stuck: 2 * s, Interval: 5 * s}
	for name, c := range map[string]struct {
		verdict Verdict
		err     string
		at      time.Duration
	}{
		"gone":   {Refused, "head lost: gone: every connection refused for 2s: connection refused", 4 * s},
		"silent": {Silent, "head lost: silent: nothing comes back for 2.567s: i/o timeout", 4500*ms + grace},
		"stuck": {
			Stuck, "head lost: stuck: reachable, but no answer for 2.567s: CheckAlive: deadline exceeded", 4500*ms + grace,
		},
	} {
		for end, script := range map[string][]moment{
			"":                 {{2 * s, down, c.verdict}},
			", but it is back": {{2 * s, down, c.verdict}, {2100 * ms, open, Answered}},
		} {
			t.Run(name+end, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errTestOver)
					defer cancel()
					h := newFakeHead()
					go h.live(ctx, script)
					err := Watch(ctx, fixedPolicy(policy), h.head(), func(doubt string) {
						if doubt != "" {
							time.Sleep(busy)
						}
					})
					if len(script) > 1 {
						require.Equal(t, errTestOver, err)
						return
					}
					require.EqualError(t, err, c.err)
					require.Equal(t, c.at, time.Since(h.start))
				})
			})
		}
	}
}

// An answer that came while the loop was busy is taken before the loss is declared. Without a
// preference select decides, so there are several runs.
func TestWatch_AnswerBesideTheLoss(t *testing.T) {
	const end = 15 * time.Minute
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), end+time.Minute, errTestOver)
			defer cancel()
			start := time.Now()
			var last atomic.Int64
			probe := func(ctx context.Context) Answer {
				switch at := time.Since(start); {
				case at > end-s:
					return Answer{Verdict: Answered}
				case at < end-14*s:
					<-ctx.Done()
					return Answer{Silent, errors.New("i/o timeout")}
				case last.Add(1) == 1:
					time.Sleep(end - s - at) // another loss, so there is something to report
					return Answer{Verdict: Stuck}
				default:
					time.Sleep(end - s/2 - at)
					return Answer{Verdict: Answered}
				}
			}
			err := Watch(ctx, fixedPolicy(Policy{end, end, end, 5 * s}), Head{Probe: probe}, func(string) {
				if time.Since(start) > end-2*s {
					time.Sleep(2 * s)
				}
			})
			require.Equal(t, errTestOver, err)
			require.Greater(t, last.Load(), int64(1))
		})
	}
}
