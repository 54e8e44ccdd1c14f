package lab

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// patience is how long a test waits for what must come, as time on a machine that has nothing else
// to do. Where more programs want to run than there are processors, each gets its share only, and
// the wait is as much longer.
type patience struct {
	left   time.Duration
	looked time.Time
}

// slowest is how many times longer a wait gets at most, so that each has an end.
const slowest = 10

func newPatience(limit time.Duration) *patience {
	return &patience{left: limit, looked: time.Now()}
}

// over says whether it has come to its end. It is to be asked often.
func (p *patience) over() bool {
	now := time.Now()
	p.left -= time.Duration(float64(now.Sub(p.looked)) / crowd(runnable(), runtime.NumCPU()))
	p.looked = now
	return p.left < 0
}

// crowd is how many there are for each processor, from 1 to slowest.
func crowd(programs float64, processors int) float64 {
	return min(max(programs/float64(processors), 1), slowest)
}

// runnable is how many threads of the machine run or could run just now.
func runnable() float64 {
	var average [3]float64
	var now float64
	scanLoad(&average[0], &average[1], &average[2], &now)
	return now
}

// scanLoad reads "0.75 0.50 0.42 3/512 12345". Of what cannot be read it leaves 0, which makes no
// wait longer.
func scanLoad(fields ...any) {
	text, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(strings.Replace(string(text), "/", " ", 1), fields...)
}

// Stretch is a time that something may take on a machine that has nothing else to do, made as much
// longer as the machine was busy in the last minute.
func Stretch(d time.Duration) time.Duration {
	var minute float64
	scanLoad(&minute)
	return time.Duration(float64(d) * crowd(minute, runtime.NumCPU()))
}

// Within is [context.WithTimeout] with a limit that grows with how busy the machine is. Its cause
// then is that the time is over, in words.
func Within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		const pause = 20 * time.Millisecond
		for p := newPatience(limit); !p.over(); {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
		}
		cancel(fmt.Errorf("not within %s", limit))
	}()
	return ctx, func() { cancel(context.Canceled) }
}
