package gcs

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

func TestConn_ClusterID(t *testing.T) {
	for _, tt := range []struct {
		name string
		id   []byte
		want string
		text string
	}{
		{"Usual", []byte("\x00\x01\xfe\xff"), "0001feff", ""},
		{"HighBytes", []byte("\xab\xab"), "abab", ""},
		{"None", nil, "", "its cluster id is 0 bytes, all 0xff or too many"},
		{"Nil", []byte("\xff\xff\xff"), "", "its cluster id is 3 bytes, all 0xff or too many"},
		{"Long", make([]byte, 65), "", "its cluster id is 65 bytes, all 0xff or too many"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := serve(t, &fakeGCS{id: tt.id})
			got, err := connect(t, Head{Address: g.address}).ClusterID(within(t, later))
			require.Equal(t, tt.want, got)
			if tt.text == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "cannot ask head "+g.address+" for its cluster id: not a Ray head: "+tt.text)
			require.Equal(t, NotRay, FaultOf(err))
		})
	}
}

func TestConn_CheckAlive(t *testing.T) {
	g := serve(t, &fakeGCS{alive: &gcspb.CheckAliveReply{
		Status: &gcspb.GcsStatus{}, RayVersion: []byte("2.60.0"), RayletAlive: []bool{true, false},
	}})
	c := connect(t, Head{Address: g.address})
	require.Equal(t, g.address, c.RemoteAddr())
	alive, err := c.CheckAlive(within(t, later), "00ab", "01")
	require.NoError(t, err)
	require.Equal(t, Alive{RayVersion: "2.60.0", Nodes: []bool{true, false}}, alive)
	require.Equal(t, [][]byte{{0, 0xab}, {1}}, g.asked.GetNodeIds())

	_, err = c.CheckAlive(within(t, later))
	require.EqualError(t, err, "cannot ask head "+g.address+
		" whether it is alive: not a Ray head: asked for 0 nodes, it answered for 2")

	_, err = c.CheckAlive(within(t, later), "xyz")
	require.EqualError(t, err, "cannot ask head "+g.address+` whether it is alive: node id: must be hex, got "xyz"`)
	require.Equal(t, Unknown, FaultOf(err))
}

func TestConn_Nodes(t *testing.T) {
	g := serve(t, &fakeGCS{nodes: &gcspb.GetAllNodeInfoReply{NodeInfoList: []*gcspb.GcsNodeInfo{
		{
			NodeId: []byte{0xab, 1}, NodeName: []byte("gpu-001"), NodeManagerHostname: []byte("gpu-001.example.net"),
			NodeManagerAddress: []byte("10.0.0.1"), NodeManagerPort: 4242, IsHeadNode: true, InstanceId: []byte("i-1"),
			ResourcesTotal: []*gcspb.GcsNodeInfo_ResourcesTotalEntry{
				{Key: []byte("GPU"), Value: 8},
				{Key: []byte("odd"), Value: math.NaN()},
			},
			Labels:      []*gcspb.GcsNodeInfo_LabelsEntry{{Key: []byte("rack"), Value: []byte("r\x1b7\xff")}},
			StartTimeMs: 1_700_000_000_123, EndTimeMs: 5, DeathInfo: &gcspb.NodeDeathInfo{Reason: 1},
		},
		{
			NodeId: []byte("\xff\xff"), State: gcspb.GcsNodeInfo_DEAD, StartTimeMs: math.MaxUint64, EndTimeMs: 1_700_000_000_000,
			DeathInfo: &gcspb.NodeDeathInfo{
				Reason: gcspb.NodeDeathInfo_UNEXPECTED_TERMINATION, ReasonMessage: []byte("health check\nfailed"),
			},
		},
		{State: 7},
	}}})
	nodes, err := connect(t, Head{Address: g.address}).Nodes(within(t, later))
	require.NoError(t, err)
	require.Equal(t, []Node{
		{
			ID: "ab01", Name: "gpu-001", Host: "gpu-001.example.net", Address: "10.0.0.1", Port: 4242,
			Alive: true, Head: true, InstanceID: "i-1", Started: time.UnixMilli(1_700_000_000_123),
			Resources: map[string]float64{"GPU": 8}, Labels: map[string]string{"rack": "r\ufffd7\ufffd"},
		},
		{
			Ended: time.UnixMilli(1_700_000_000_000), Death: Death{UnexpectedTermination, "health check failed"},
			Resources: map[string]float64{}, Labels: map[string]string{},
		},
		{Resources: map[string]float64{}, Labels: map[string]string{}},
	}, nodes)
}

func TestConn_Nodes_Many(t *testing.T) {
	one := &gcspb.GcsNodeInfo{NodeId: make([]byte, 28), NodeName: make([]byte, 6<<10)}
	reply := &gcspb.GetAllNodeInfoReply{}
	for range 2000 {
		reply.NodeInfoList = append(reply.NodeInfoList, one)
	}
	g := serve(t, &fakeGCS{nodes: reply})
	nodes, err := connect(t, Head{Address: g.address}).Nodes(within(t, later))
	require.NoError(t, err)
	require.Len(t, nodes, 2000)
}

func TestConn_Versions(t *testing.T) {
	for _, tt := range []struct {
		name  string
		reply *gcspb.InternalKVGetReply
		want  Versions
		text  string
		fault Fault
	}{
		{
			"Stored", &gcspb.InternalKVGetReply{
				Value: []byte(`{"ray_version":"2.60.0","python_version":"3.11.7","os":"linux"}`),
			},
			Versions{"2.60.0", "3.11.7"}, "", Unknown,
		},
		{
			"NotStored", &gcspb.InternalKVGetReply{Status: &gcspb.GcsStatus{Code: 17, Message: []byte("NotFound")}},
			Versions{}, "it has not stored its versions", Rejected,
		},
		{
			"Failed", &gcspb.InternalKVGetReply{Status: &gcspb.GcsStatus{Code: 5, Message: []byte("IOError")}},
			Versions{}, "the GCS answered with status 5: IOError", Rejected,
		},
		{
			"NotJSON", &gcspb.InternalKVGetReply{Value: []byte("\x80")},
			Versions{}, "not a Ray head: the entry with its versions has no ray_version and python_version", NotRay,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := serve(t, &fakeGCS{kv: tt.reply})
			got, err := connect(t, Head{Address: g.address}).Versions(within(t, later))
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.fault, FaultOf(err))
			require.Equal(t, "cluster", string(g.key.GetNamespace()))
			require.Equal(t, "CLUSTER_METADATA", string(g.key.GetKey()))
			if tt.text == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "cannot ask head "+g.address+" for its versions: "+tt.text)
			if tt.name == "NotStored" {
				require.ErrorIs(t, err, ErrNoVersions)
			}
		})
	}
}

func TestFault_String(t *testing.T) {
	require.Equal(t, "connection refused", Refused.String())
	require.Equal(t, "unknown fault", Unknown.String())
	require.Equal(t, "fault 99", Fault(99).String())
	require.Equal(t, Unknown, FaultOf(nil))
}

func TestDeathReason_String(t *testing.T) {
	require.Equal(t, "ended as asked", ExpectedTermination.String())
	require.Equal(t, "reason 9", DeathReason(9).String())
}
