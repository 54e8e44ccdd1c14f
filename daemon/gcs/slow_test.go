//go:build ray

package gcs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// How long a dead host stays unnoticed by Follow: with nothing on its way, where
// TCP's keepalive finds out, and with data that nobody confirms.
func TestConn_Follow_DeadHost(t *testing.T) {
	for _, tt := range []struct {
		name string
		send bool
	}{{"Idle", false}, {"DataOnItsWay", true}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := newNetwork(t)
			c, address := n.connect(t, &fakeGCS{})
			words, end := following(t.Context(), c)
			require.True(t, <-words)
			n.loopback(t, false)
			cut := time.Now()
			if tt.send {
				_, err := c.ClusterID(within(t, unheard))
				require.Equal(t, Silent, FaultOf(err))
			}
			err := <-end
			t.Logf("noticed after %v", time.Since(cut).Round(10*time.Millisecond))
			require.EqualError(t, err, "cannot watch head "+address+": no answer from the host")
			require.Equal(t, Silent, FaultOf(err))
			require.Less(t, time.Since(cut), maxDeadTimeout+10*time.Second)
		})
	}
}
