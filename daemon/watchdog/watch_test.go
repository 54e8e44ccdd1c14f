package watchdog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/reason"
)

const (
	ms = time.Millisecond
	s  = time.Second
)

func TestWatch_LosesTheHead(t *testing.T) {
	const (
		gone   = "head lost: gone: every connection refused for 500ms: connection refused"
		silent = "head lost: silent: nothing comes back for 30s: i/o timeout"
		stuck  = "head lost: stuck: reachable, but no answer for 1m0s: "
	)
	for name, c := range map[string]struct {
		script []moment
		err    string
		after  time.Duration // since the first probe without an answer
	}{
		"gone":                     {[]moment{{10 * s, down, Refused}}, gone, 500 * ms},
		"gone, a probe sees first": {[]moment{{10 * s, open, Refused}, {20 * s, down, Refused}}, gone, -1},
		"gone after a short life": {
			[]moment{{10 * s, down, Refused}, {10*s + 300*ms, open, Answered}, {30 * s, down, Refused}}, gone, 500 * ms,
		},
		"silent":                   {[]moment{{10 * s, down, Silent}}, silent, 30 * s},
		"silent, then the stream":  {[]moment{{10 * s, open, Silent}, {28 * s, down, Silent}}, silent, 30 * s},
		"silent before the stream": {[]moment{{0, down, Silent}}, silent, -1},
		"silent, then gone":        {[]moment{{10 * s, down, Silent}, {33 * s, down, Refused}}, gone, -1},
		"stream alive, all silent": {[]moment{{10 * s, open, Silent}}, stuck + "i/o timeout", 60 * s},
		"stuck":                    {[]moment{{10 * s, open, Stuck}}, stuck + "CheckAlive: deadline exceeded", 60 * s},
		"stuck, no stream":         {[]moment{{10 * s, down, Stuck}}, stuck + "CheckAlive: deadline exceeded", 60 * s},
		"stuck, and it says so":    {[]moment{{10 * s, notServing, Stuck}}, stuck + "CheckAlive: deadline exceeded", -1},
		"stuck, silent in between": {
			[]moment{{10 * s, down, Stuck}, {30 * s, down, Silent}, {45 * s, down, Stuck}},
			stuck + "CheckAlive: deadline exceeded", 60 * s,
		},
		"refused by a firewall": {[]moment{{10 * s, open, Refused}}, stuck + "connection refused", 60 * s},
		"another": {
			[]moment{{10 * s, down, Another}},
			"head lost: another: another cluster answers in its place: its cluster id is bb, ours is aa", 0,
		},
		"another after silence": {
			[]moment{{10 * s, down, Silent}, {20 * s, down, Another}},
			"head lost: another: another cluster answers in its place: its cluster id is bb, ours is aa", -1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			end := play(t, time.Hour, defaults(), c.script)
			require.EqualError(t, end.err, c.err)
			require.ErrorIs(t, end.err, reason.ErrHeadLost)
			if c.after >= 0 {
				require.Equal(t, c.after, end.after)
			}
		})
	}
}

func TestWatch_LosesTheHead_ExactlyAfterTheStream(t *testing.T) {
	for at := 10 * s; at < 16*s; at += 77 * ms { // at every point of the pause between probes
		synctest.Test(t, func(t *testing.T) {
			h := newFakeHead()
			go h.live(t.Context(), []moment{{at, down, Refused}})
			err := Watch(t.Context(), fixedPolicy(defaults()), h.head(), func(string) {})
			require.ErrorIs(t, err, syscall.ECONNREFUSED)
			lasted := time.Since(h.start) - at
			require.GreaterOrEqual(t, lasted, 500*ms)
			require.LessOrEqual(t, lasted, 500*ms+minPause)
		})
	}
}

func TestWatch_Disowned(t *testing.T) {
	end := play(t, time.Hour, defaults(), []moment{{10 * s, open, Disowned}})
	require.EqualError(t, end.err, "the head says that this node is dead: state DEAD, raylet alive")
	require.ErrorIs(t, end.err, ErrDisowned)
	require.NotErrorIs(t, end.err, reason.ErrHeadLost)
	require.Zero(t, end.after)
}

// A shortage on this host is no loss of the head; while the stream is open, it is no harm either.
func TestWatch_Unable(t *testing.T) {
	end := play(t, time.Hour, defaults(), []moment{{10 * s, open, Unable}, {20 * time.Minute, down, Unable}})
	require.EqualError(t, end.err, "this host cannot ask the head for 1m0s: too many open files")
	require.ErrorIs(t, end.err, syscall.EMFILE)
	require.NotErrorIs(t, end.err, reason.ErrHeadLost)
	require.Equal(
		t, []string{"head is not watched: this host could not ask it for 0s of 1m0s: too many open files"}, end.doubts,
	)

	end = play(t, time.Hour, defaults(), []moment{{10 * s, down, Unable}, {40 * s, down, Refused}})
	require.EqualError(t, end.err, "head lost: gone: every connection refused for 500ms: connection refused")

	end = play(t, time.Hour, defaults(), []moment{{10 * s, down, Unable}, {67 * s, open, Answered}})
	require.Equal(t, errTestOver, end.err)
	require.Empty(t, end.doubts[len(end.doubts)-1])
}

func TestWatch_KeepsTheHead(t *testing.T) {
	for name, script := range map[string][]moment{
		"well":              {},
		"refused for 480ms": {{10 * s, down, Refused}, {10*s + 480*ms, open, Answered}},
		"refused, but once silent": {
			{10 * s, down, Refused}, {10*s + 300*ms, down, Silent}, {10*s + 500*ms, down, Refused},
			{10*s + 800*ms, open, Answered},
		},
		"silent for 28.9s":            {{10 * s, down, Silent}, {38*s + 900*ms, open, Answered}},
		"silent, stream open, 57.9s":  {{10 * s, open, Silent}, {67*s + 900*ms, open, Answered}},
		"silent for 40s, stream ends": {{10 * s, open, Silent}, {50 * s, down, Answered}, {51 * s, open, Answered}},
		"stuck for 57.9s":             {{10 * s, notServing, Stuck}, {67*s + 900*ms, open, Answered}},
		"a firewall for 50s":          {{10 * s, open, Refused}, {60 * s, open, Answered}},
		"not serving, but answering":  {{10 * s, notServing, Answered}},
		"no stream, but answering":    {{10 * s, down, Answered}},
	} {
		t.Run(name, func(t *testing.T) {
			end := play(t, 10*time.Minute, defaults(), script)
			require.Equal(t, errTestOver, end.err)
			if len(end.doubts) > 0 {
				require.Empty(t, end.doubts[len(end.doubts)-1])
			}
		})
	}
}

func TestWatch_TellsItsDoubt(t *testing.T) {
	for name, c := range map[string]struct {
		script []moment
		doubts []string
	}{
		"well": {[]moment{}, nil},
		"flapping stream": {
			[]moment{{10 * s, down, Answered}, {11 * s, open, Answered}, {12 * s, down, Answered}}, nil,
		},
		"not serving, but alive": {
			[]moment{{10 * s, notServing, Answered}},
			[]string{"head does not answer: reachable, but no answer for 0s of 1m0s: the head says that it is not serving", ""},
		},
		"one after the other": {[]moment{{10 * s, down, Silent}, {20 * s, down, Refused}, {35 * s, open, Answered}}, []string{
			"head does not answer: nothing comes back for 5s of 30s: i/o timeout",
			"head does not answer: every connection refused for 0s of 20s: connection refused",
			"",
		}},
		"stream alive, then not": {[]moment{{2 * s, notServing, Silent}, {22 * s, down, Silent}, {23 * s, down, Answered}},
			[]string{
				"head does not answer: reachable, but no answer for 0s of 1m0s: the head says that it is not serving",
				"head does not answer: nothing comes back for 20s of 30s: i/o timeout",
				"",
			}},
	} {
		t.Run(name, func(t *testing.T) {
			policy := defaults()
			policy.Refused = 20 * s
			end := play(t, 10*time.Minute, policy, c.script)
			require.Equal(t, errTestOver, end.err)
			require.Equal(t, c.doubts, end.doubts)
		})
	}
}

func TestWatch_AsksSeldom(t *testing.T) {
	const long = 2 * time.Minute
	for name, c := range map[string]struct {
		script         []moment
		policy         Policy
		asked, follows int // at most
	}{
		"well":        {nil, defaults(), 31, 1}, // every 4 s at least
		"no stream":   {[]moment{{0, down, Answered}}, defaults(), 31 + 36, 36},
		"no interval": {nil, Policy{Refused: s, Silent: s, Stuck: s}, 3001, 1},
		"refused, with the patience of a persistent head": {
			[]moment{{0, down, Refused}}, Policy{15 * time.Minute, 15 * time.Minute, 15 * time.Minute, 5 * s}, 31, 1},
	} {
		t.Run(name, func(t *testing.T) {
			end := play(t, long, c.policy, c.script)
			require.Equal(t, errTestOver, end.err)
			require.LessOrEqual(t, end.asked, c.asked)
			require.LessOrEqual(t, end.follow, c.follows)
		})
	}
	t.Run("flapping stream", func(t *testing.T) {
		var script []moment
		for at := time.Duration(0); at < long; at += 20 * ms {
			script = append(script, moment{at, down, Answered}, moment{at + 10*ms, notServing, Answered})
		}
		end := play(t, long, defaults(), script)
		require.Equal(t, errTestOver, end.err)
		require.LessOrEqual(t, end.asked, 3*36)
		require.LessOrEqual(t, end.follow, 36)
	})
	t.Run("flapping status", func(t *testing.T) {
		var script []moment
		for at := time.Duration(0); at < long; at += 2 * ms {
			script = append(script, moment{at, notServing, Answered}, moment{at + ms, open, Answered})
		}
		end := play(t, long, defaults(), script)
		require.Equal(t, errTestOver, end.err)
		require.LessOrEqual(t, end.asked, int(long/minPause)+1)
	})
}

// A report that blocks stops the loop, as SIGSTOP would.
func TestWatch_OwnLatenessIsNotTheHeads(t *testing.T) {
	for name, c := range map[string]struct {
		script []moment
		err    string
		at     time.Duration
	}{
		"the head is back": {[]moment{{2 * s, down, Refused}, {20 * s, open, Answered}}, "test over", time.Minute},
		"the head is gone": {
			[]moment{{2 * s, down, Refused}}, "head lost: gone: every connection refused for 500ms: connection refused",
			32*s + 500*ms,
		},
		"the head is stuck": {[]moment{{2 * s, down, Refused}, {20 * s, down, Stuck}}, "test over", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errTestOver)
				defer cancel()
				h := newFakeHead()
				go h.live(ctx, c.script)
				stopped := false
				err := Watch(ctx, fixedPolicy(defaults()), h.head(), func(string) {
					if !stopped {
						stopped = true
						time.Sleep(30 * s)
					}
				})
				require.EqualError(t, err, c.err)
				require.Equal(t, c.at, time.Since(h.start))
			})
		})
	}
}

func TestWatch_LateAnswerIsThrownAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errTestOver)
		defer cancel()
		var asked atomic.Int64
		h := Head{
			Follow: func(ctx context.Context, serving func(bool)) error {
				time.Sleep(s)
				serving(false)
				<-ctx.Done()
				return ctx.Err()
			},
			Probe: func(ctx context.Context) Answer {
				if asked.Add(1) > 1 {
					return Answer{Verdict: Answered}
				}
				time.Sleep(3 * s) // answers while the loop is stopped
				return Answer{Another, nil}
			},
		}
		stopped := false
		err := Watch(ctx, fixedPolicy(defaults()), h, func(string) {
			if !stopped {
				stopped = true
				time.Sleep(30 * s)
			}
		})
		require.Equal(t, errTestOver, err)
		require.True(t, stopped)
	})
}

func TestJudge(t *testing.T) {
	for name, c := range map[string]struct {
		script []moment
		err    string
		after  time.Duration
	}{
		"alive":        {nil, "", 0},
		"is unable":    {[]moment{{0, down, Unable}}, "", 0},
		"disowns us":   {[]moment{{0, down, Disowned}}, "", 0},
		"back in time": {[]moment{{0, down, Refused}, {400 * ms, open, Answered}}, "", -1},
		"gone": {
			[]moment{{0, down, Refused}}, "head lost: gone: every connection refused for 500ms: connection refused", 500 * ms,
		},
		"silent": {[]moment{{0, open, Silent}}, "head lost: silent: nothing comes back for 30s: i/o timeout", 30 * s},
		"stuck": {
			[]moment{{0, open, Stuck}}, "head lost: stuck: reachable, but no answer for 1m0s: CheckAlive: deadline exceeded",
			time.Minute,
		},
		"another": {
			[]moment{{0, open, Another}},
			"head lost: another: another cluster answers in its place: its cluster id is bb, ours is aa", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newFakeHead()
				go h.live(t.Context(), c.script)
				synctest.Wait()
				err := Judge(t.Context(), defaults(), h.head())
				if c.err == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, c.err)
				}
				if c.after >= 0 {
					require.Equal(t, c.after, time.Since(h.start))
				}
			})
		})
	}
}

func TestJudge_Cancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), s, errTestOver)
		defer cancel()
		h := newFakeHead()
		h.become(moment{0, open, Stuck})
		require.Equal(t, errTestOver, Judge(ctx, defaults(), h.head()))
	})
}

func TestWatch_CancelledAtAnyMoment(t *testing.T) {
	script := []moment{
		{10 * s, notServing, Stuck},
		{12 * s, down, Silent},
		{14 * s, down, Refused},
		{14*s + 300*ms, open, Answered},
	}
	for at := time.Duration(0); at < 22*s; at += 37 * ms {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), at, errTestOver)
			defer cancel()
			h := newFakeHead()
			go h.live(ctx, script)
			require.Equal(t, errTestOver, Watch(ctx, fixedPolicy(defaults()), h.head(), func(string) {}))
			require.Equal(t, at, time.Since(h.start))
		})
	}
}

// A fleet of 200 whose heads are away at random, always for less than the
// window that counts, loses none; when the heads are gone, it loses all.
func TestWatch_Fleet(t *testing.T) {
	const calm = 5 * time.Minute
	last := map[Verdict]time.Duration{Refused: 500 * ms, Silent: 30 * s, Stuck: time.Minute}
	for _, seed := range []uint64{1, 2} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var fleet sync.WaitGroup
				for i := range 200 {
					script := blips(rand.New(rand.NewPCG(seed, uint64(i))), calm)
					verdict := []Verdict{Refused, Silent, Stuck}[i%3]
					script = append(script, moment{calm, down, verdict})
					fleet.Go(func() {
						h := newFakeHead()
						go h.live(t.Context(), script)
						err := Watch(t.Context(), fixedPolicy(defaults()), h.head(), func(string) {})
						var lost *LostError
						if !errors.As(err, &lost) {
							t.Errorf("watcher %d: %v", i, err)
							return
						}
						after := time.Since(h.start) - calm
						if after < last[verdict] || after > last[verdict]+minPause {
							t.Errorf("watcher %d lost its head %v after the end: %v", i, after, err)
						}
					})
				}
				fleet.Wait()
			})
		})
	}
}

// blips is a script of absences, each survivable, until the end.
func blips(r *rand.Rand, end time.Duration) (script []moment) {
	longest := map[Verdict]time.Duration{Refused: 480 * ms, Silent: 28900 * ms, Stuck: 57900 * ms}
	for at := 5 * s; ; {
		verdict := []Verdict{Refused, Silent, Stuck}[r.IntN(3)]
		stream := []string{open, down, notServing}[r.IntN(3)]
		lasts := time.Duration(r.Int64N(int64(longest[verdict])))
		if at+lasts+15*s > end {
			return script
		}
		script = append(script, moment{at, stream, verdict}, moment{at + lasts, open, Answered})
		at += lasts + 12*s + time.Duration(r.Int64N(int64(20*s)))
	}
}

func TestInterval(t *testing.T) {
	require.Equal(t, 5*s, Interval(5*s, 0))
	require.Equal(t, 5*s, Interval(5*s, 500))
	require.Equal(t, 20*s, Interval(5*s, 2000))
}

// A question that is dropped has no answer, whatever its asker makes of the end of its context.
// Jitter decides whether one is open when the last call drops it: in some of these runs it is.
func TestJudge_DroppedQuestion(t *testing.T) {
	probe := func(ctx context.Context) Answer {
		<-ctx.Done()
		if errors.Is(ctx.Err(), context.Canceled) {
			return Answer{Verdict: Answered}
		}
		return Answer{Silent, errors.New("i/o timeout")}
	}
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			require.EqualError(
				t, Judge(t.Context(), defaults(), Head{Probe: probe}),
				"head lost: silent: nothing comes back for 30s: i/o timeout",
			)
		})
	}
}
