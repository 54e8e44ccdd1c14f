package gcs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

func TestConn_Drain(t *testing.T) {
	g := serve(t, &fakeGCS{leave: &gcspb.DrainNodeReply{IsAccepted: true}, secret: secret})
	at := time.UnixMilli(1800000000123)
	require.NoError(
		t,
		connect(t, Head{Address: g.address, Token: NewToken(secret)}).Drain(within(t, later), "01ff", "bye", at),
	)
	require.Equal(t, []byte{0x01, 0xff}, g.drain.GetNodeId())
	require.Equal(t, gcspb.DrainNodeReason_DRAIN_NODE_REASON_PREEMPTION, g.drain.GetReason())
	require.Equal(t, "bye", string(g.drain.GetReasonMessage()))
	require.Equal(t, at.UnixMilli(), g.drain.GetDeadlineTimestampMs())
}

func TestConn_Drain_Refused(t *testing.T) {
	for name, c := range map[string]struct {
		gcs   *fakeGCS
		id    string
		want  string
		fault Fault
	}{
		"by the GCS": {
			&fakeGCS{leave: &gcspb.DrainNodeReply{RejectionReasonMessage: []byte("it is\nbusy")}}, "01",
			"the GCS refuses: it is busy", Rejected,
		},
		"without it": {
			&fakeGCS{err: status.Error(codes.Unimplemented, "unknown service")}, "01", "not a Ray head: unknown service",
			NotRay,
		},
		"not an id": {&fakeGCS{}, "xyz", `node id: must be hex, got "xyz"`, Unknown},
		"no id":     {&fakeGCS{}, "", `node id: must be hex, got ""`, Unknown},
		"wrong token": {
			&fakeGCS{secret: "other"}, "01",
			Unauthorized.String() + " (InvalidAuthToken: Authentication token is missing or incorrect)", Unauthorized,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := serve(t, c.gcs)
			err := connect(t, Head{Address: g.address}).Drain(within(t, later), c.id, "bye", time.Now())
			require.EqualError(t, err, "cannot ask head "+g.address+" to drain a node: "+c.want)
			require.Equal(t, c.fault, FaultOf(err))
		})
	}
}
