package lab

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPatience_Crowd(t *testing.T) {
	for _, c := range []struct {
		name       string
		programs   float64
		processors int
		times      float64
	}{
		{name: "nothing known", programs: 0, processors: 2, times: 1},
		{name: "room for all", programs: 2, processors: 2, times: 1},
		{name: "four others", programs: 5, processors: 2, times: 2.5},
		{name: "no wait without end", programs: 1000, processors: 2, times: slowest},
	} {
		t.Run(c.name, func(t *testing.T) { require.InDelta(t, c.times, crowd(c.programs, c.processors), 0.001) })
	}
}

func TestPatience_Load(t *testing.T) {
	require.GreaterOrEqual(t, runnable(), 1.0, "this test runs")
	require.GreaterOrEqual(t, Stretch(time.Second), time.Second)
}

func TestWithin_Cause(t *testing.T) {
	ctx, cancel := Within(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	require.EqualError(t, context.Cause(ctx), "not within 1ms")
}
