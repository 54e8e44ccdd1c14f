package gcs

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// Whatever bytes come as a reply: no panic, and nothing in the result that must
// not reach a terminal or JSON.
func FuzzReply(f *testing.F) {
	for _, m := range []proto.Message{
		&gcspb.GetClusterIdReply{ClusterId: make([]byte, 28)},
		&gcspb.CheckAliveReply{RayVersion: []byte("2.60.0\x1b"), RayletAlive: []bool{true}},
		&gcspb.InternalKVGetReply{Value: []byte(`{"ray_version":"2.60.0\u001b","python_version":"3\ud800"}`)},
		&gcspb.GetAllNodeInfoReply{NodeInfoList: []*gcspb.GcsNodeInfo{{
			NodeId: []byte{1}, NodeName: []byte("\xff\u202e"), State: 1, StartTimeMs: 1 << 63,
			ResourcesTotal: []*gcspb.GcsNodeInfo_ResourcesTotalEntry{{Key: []byte("\x00"), Value: 1e308}},
			Labels:         []*gcspb.GcsNodeInfo_LabelsEntry{{Key: []byte("\x07"), Value: []byte("\n")}},
			DeathInfo:      &gcspb.NodeDeathInfo{Reason: -1, ReasonMessage: []byte("\x9b")},
		}}},
	} {
		seed, err := proto.Marshal(m)
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var id gcspb.GetClusterIdReply
		var alive gcspb.CheckAliveReply
		var kv gcspb.InternalKVGetReply
		var list gcspb.GetAllNodeInfoReply
		for _, m := range []proto.Message{&id, &alive, &kv, &list} {
			_ = proto.Unmarshal(data, m)
		}
		_ = invalidID(id.GetClusterId())
		versions, _ := readVersions(kv.GetValue())
		texts := []string{
			versions.Ray, versions.Python, printable(alive.GetRayVersion()), shorten(alive.GetStatus().GetMessage()),
		}
		for _, info := range list.GetNodeInfoList() {
			n := readNode(info)
			_, err := json.Marshal(n)
			require.NoError(t, err)
			texts = append(texts, n.ID, n.Name, n.Host, n.Address, n.InstanceID, n.Death.Message, n.Death.Reason.String())
			texts = slices.AppendSeq(texts, maps.Keys(n.Resources))
			texts = slices.AppendSeq(texts, maps.Keys(n.Labels))
			texts = slices.AppendSeq(texts, maps.Values(n.Labels))
		}
		for _, text := range texts {
			require.True(t, utf8.ValidString(text))
			require.False(t, strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }), "%q", text)
		}
	})
}
