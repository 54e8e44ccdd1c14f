package gcs

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// One look at a head, from nothing: connect, which cluster, is it alive.
func BenchmarkProbe(b *testing.B) {
	g := serve(b, &fakeGCS{
		id:    make([]byte, 28),
		alive: &gcspb.CheckAliveReply{RayVersion: []byte("2.60.0")},
	})
	b.ReportAllocs()
	for b.Loop() {
		c, err := Dial(b.Context(), Head{Address: g.address})
		require.NoError(b, err)
		_, err = c.ClusterID(b.Context())
		require.NoError(b, err)
		_, err = c.CheckAlive(b.Context())
		require.NoError(b, err)
		require.NoError(b, c.Close())
	}
}
