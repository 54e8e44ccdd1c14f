package gcs

import (
	"context"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// Node is one entry of the GCS's list, which is one start of one node. A host that starts Ray
// again is another Node, and its former one may stay Alive for a minute.
type Node struct {
	ID         string // hex
	Name       string // ray start --node-name, else the address
	Host       string // host name
	Address    string // IP address of the raylet
	Port       int    // and its port
	Alive      bool
	Head       bool
	Resources  map[string]float64 // in total: "CPU", "GPU", "memory" in bytes …
	Labels     map[string]string
	InstanceID string    // RAY_CLOUD_INSTANCE_ID of its ray start
	Started    time.Time // zero if not known
	Ended      time.Time // zero while alive
	Death      Death     // zero while alive
}

// Death says why a node ended.
type Death struct {
	Reason  DeathReason
	Message string // "" before Ray 2.40
}

// Signalled says whether the node's raylet got a SIGTERM, which Ray calls an expected end. Before
// Ray 2.40, nobody can say.
func (d Death) Signalled() bool { return strings.Contains(d.Message, "SIGTERM") }

// DeathReason is Ray's NodeDeathInfo.Reason.
type DeathReason int

// The reasons that Ray gives.
const (
	Unspecified DeathReason = iota
	ExpectedTermination
	UnexpectedTermination
	DrainPreempted
	DrainIdle
)

// String gives the reason in words for people.
func (r DeathReason) String() string {
	switch r {
	case Unspecified:
		return "no reason given"
	case ExpectedTermination:
		return "ended as asked"
	case UnexpectedTermination:
		return "ended unexpectedly"
	case DrainPreempted:
		return "drained before its host was taken away"
	case DrainIdle:
		return "drained because it was idle"
	}
	return "reason " + strconv.Itoa(int(r))
}

// Nodes lists the nodes in the order of the answer, dead ones included (Ray keeps up to 1,000).
// All text in it is printable: other characters are replaced by U+FFFD.
func (c *Conn) Nodes(ctx context.Context) ([]Node, error) {
	answer, err := ask(ctx, c, "for its nodes", c.nodes.GetAllNodeInfo, &gcspb.GetAllNodeInfoRequest{})
	if err != nil {
		return nil, err
	}
	nodes := make([]Node, 0, len(answer.GetNodeInfoList()))
	for _, info := range answer.GetNodeInfoList() {
		nodes = append(nodes, readNode(info))
	}
	return nodes, nil
}

func readNode(info *gcspb.GcsNodeInfo) Node {
	n := Node{
		Name:       printable(info.GetNodeName()),
		Host:       printable(info.GetNodeManagerHostname()),
		Address:    printable(info.GetNodeManagerAddress()),
		Port:       int(info.GetNodeManagerPort()),
		Alive:      info.GetState() == gcspb.GcsNodeInfo_ALIVE,
		Head:       info.GetIsHeadNode(),
		Resources:  make(map[string]float64, len(info.GetResourcesTotal())),
		Labels:     make(map[string]string, len(info.GetLabels())),
		InstanceID: printable(info.GetInstanceId()),
		Started:    readTime(info.GetStartTimeMs()),
	}
	if id := info.GetNodeId(); !invalidID(id) {
		n.ID = hex.EncodeToString(id)
	}
	for _, r := range info.GetResourcesTotal() {
		if v := r.GetValue(); !math.IsNaN(v) && !math.IsInf(v, 0) {
			n.Resources[printable(r.GetKey())] = v
		}
	}
	for _, l := range info.GetLabels() {
		n.Labels[printable(l.GetKey())] = printable(l.GetValue())
	}
	if !n.Alive {
		n.Ended = readTime(info.GetEndTimeMs())
		n.Death = Death{DeathReason(info.GetDeathInfo().GetReason()), printable(info.GetDeathInfo().GetReasonMessage())}
	}
	return n
}

// readTime reads milliseconds since 1970. 0, and a time after the year 9999, give the zero time.
func readTime(ms uint64) time.Time {
	const year10000 = 253402300800000
	if ms == 0 || ms >= year10000 {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}
