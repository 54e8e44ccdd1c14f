package fakeray

import (
	"os"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// node is one start of one node as the GCS knows it: a note that its raylet keeps, in a folder
// named after the cluster.
type node struct {
	ID, Name, IP, Host, Mark string
	Head                     bool
	Resources                map[string]float64
	Labels                   map[string]string
	Left                     gcspb.NodeDeathInfo_Reason // UNSPECIFIED: it has not said goodbye
	Words                    string                     // of its goodbye
}

// alive is also true of a raylet that crashed: the real GCS takes longer than a test to notice.
func (n node) alive() bool { return n.Left == gcspb.NodeDeathInfo_UNSPECIFIED }

func (f Folder) nodes(cluster string) ([]node, error) { return read[node](f.path("nodes", cluster)) }

func (f Folder) register(cluster string, n node) error {
	if err := os.MkdirAll(f.path("nodes", cluster), 0o755); err != nil {
		return err
	}
	return write(f.path("nodes", cluster, n.ID), n)
}

// info is the node in Ray's own words.
func (n node) info() *gcspb.GcsNodeInfo {
	info := &gcspb.GcsNodeInfo{
		NodeId: unhex(n.ID), NodeName: []byte(n.Name), NodeManagerAddress: []byte(n.IP), NodeManagerHostname: []byte(n.Host),
		InstanceId: []byte(n.Mark), IsHeadNode: n.Head, State: gcspb.GcsNodeInfo_ALIVE,
	}
	for name, amount := range n.Resources {
		info.ResourcesTotal = append(
			info.ResourcesTotal,
			&gcspb.GcsNodeInfo_ResourcesTotalEntry{Key: []byte(name), Value: amount},
		)
	}
	for name, text := range n.Labels {
		info.Labels = append(info.Labels, &gcspb.GcsNodeInfo_LabelsEntry{Key: []byte(name), Value: []byte(text)})
	}
	if !n.alive() {
		info.State = gcspb.GcsNodeInfo_DEAD
		info.DeathInfo = &gcspb.NodeDeathInfo{Reason: n.Left, ReasonMessage: []byte(n.Words)}
	}
	return info
}
