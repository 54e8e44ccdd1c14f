package watchdog

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// On a long line every answer takes its time, a refusal too.
func TestWatch_LongLine(t *testing.T) {
	const oneWay = 200 * ms
	for name, c := range map[string]struct {
		script []moment
		lost   bool
	}{
		"gone": {[]moment{{10 * s, down, Refused}}, true},
		"back": {[]moment{{10 * s, down, Refused}, {10*s + 800*ms, open, Answered}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 5*time.Minute, errTestOver)
				defer cancel()
				h := newFakeHead()
				go h.live(ctx, c.script)
				far := Head{
					Follow: func(ctx context.Context, serving func(bool)) error {
						err := h.follow(ctx, serving)
						time.Sleep(oneWay)
						return err
					},
					Probe: func(ctx context.Context) Answer {
						time.Sleep(oneWay)
						a := h.probe(ctx)
						select {
						case <-time.After(oneWay):
							return a
						case <-ctx.Done():
							return Answer{Silent, ctx.Err()}
						}
					},
				}
				err := Watch(ctx, fixedPolicy(defaults()), far, func(string) {})
				if !c.lost {
					require.Equal(t, errTestOver, err)
					return
				}
				var lost *LostError
				require.ErrorAs(t, err, &lost)
				require.Equal(t, LossGone, lost.Loss)
				require.ErrorIs(t, err, syscall.ECONNREFUSED)
				lasted := time.Since(h.start) - 10*s
				require.GreaterOrEqual(t, lasted, 500*ms)
				require.LessOrEqual(t, lasted, 500*ms+3*2*oneWay)
			})
		})
	}
}
