package gcs

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHead_KeepAlive(t *testing.T) {
	const s = time.Second
	for silent, want := range map[time.Duration]struct{ idle, interval, limit time.Duration }{
		0:                       {10 * s, 5 * s, 25 * s},
		time.Hour:               {10 * s, 5 * s, 25 * s},
		30 * s:                  {10 * s, 5 * s, 25 * s},
		10 * s:                  {4 * s, 2 * s, 10 * s},
		6 * s:                   {3 * s, 1 * s, 6 * s},
		time.Millisecond:        {1 * s, 1 * s, 4 * s},
		4500 * time.Millisecond: {1 * s, 1 * s, 4 * s},
	} {
		h := Head{Silent: silent}
		require.Equal(
			t, net.KeepAliveConfig{Enable: true, Idle: want.idle, Interval: want.interval, Count: 3}, h.keepAlive(), silent,
		)
		require.Equal(t, want.limit, h.deadTimeout(), silent)
	}
}
