package fakeray

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net"
	"os"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// gcs is the control store: a new cluster at every start.
type gcs struct {
	gcspb.UnimplementedNodeInfoGcsServiceServer
	gcspb.UnimplementedInternalKVGcsServiceServer
	gcspb.UnimplementedAutoscalerStateServiceServer
	Folder
	cluster string // its id in hex
	token   string // "" = none is wanted
	head    bool   // it lists a head's node although no raylet of one runs
}

// idBytes is the length of Ray's ids.
const idBytes = 28

func newID() string {
	id := make([]byte, idBytes)
	_, _ = rand.Read(id)
	return hex.EncodeToString(id)
}

func unhex(id string) []byte {
	raw, _ := hex.DecodeString(id)
	return raw
}

func (f Folder) gcsServer(args []string) int {
	g := &gcs{Folder: f, cluster: newID(), token: token(), head: slices.Contains(args, ListsHead)}
	stop, err := g.serve(net.JoinHostPort(flag(args, "node-ip-address"), flag(args, "gcs_server_port")))
	if err != nil {
		return fatal(err)
	}
	f.untilTerm("gcs_server")
	stop()
	return 0
}

// ListsHead is an argument of a gcs_server that lists a head's node although no raylet of one runs:
// workers join it.
const ListsHead = "--lists-head"

// ServeGCS is the GCS without a process of its own: a new cluster that wants the token, if that is
// not empty, and lists a head.
func (f Folder) ServeGCS(address, token string) (stop func(), err error) {
	g := &gcs{Folder: f, cluster: newID(), token: token, head: true}
	return g.serve(address)
}

func (g *gcs) serve(address string) (stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(g.admit))
	gcspb.RegisterNodeInfoGcsServiceServer(server, g)
	gcspb.RegisterInternalKVGcsServiceServer(server, g)
	gcspb.RegisterAutoscalerStateServiceServer(server, g)
	healthpb.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(l) }()
	return server.Stop, nil
}

// token is what the environment tells every program of Ray's to use, "" for none.
func token() string {
	if os.Getenv("RAY_AUTH_MODE") != "token" {
		return ""
	}
	text, _ := os.ReadFile(os.Getenv("RAY_AUTH_TOKEN_PATH"))
	return strings.TrimSpace(string(text))
}

// admit refuses who has not the token, but for the health service, as Ray does.
func (g *gcs) admit(ctx context.Context, q any, info *grpc.UnaryServerInfo, call grpc.UnaryHandler) (any, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if g.token != "" && strings.HasPrefix(info.FullMethod, "/ray.") &&
		!slices.Equal(md.Get("authorization"), []string{"Bearer " + g.token}) {
		return nil, status.Error(codes.Unauthenticated, "InvalidAuthToken: Authentication token is missing or incorrect")
	}
	return call(ctx, q)
}

func (g *gcs) GetClusterId(context.Context, *gcspb.GetClusterIdRequest) (*gcspb.GetClusterIdReply, error) {
	return &gcspb.GetClusterIdReply{ClusterId: unhex(g.cluster)}, nil
}

func (g *gcs) CheckAlive(_ context.Context, q *gcspb.CheckAliveRequest) (*gcspb.CheckAliveReply, error) {
	all, err := g.nodes(g.cluster)
	reply := &gcspb.CheckAliveReply{RayVersion: []byte(rayVersion())}
	for _, id := range q.GetNodeIds() {
		reply.RayletAlive = append(reply.RayletAlive, slices.ContainsFunc(all, func(n node) bool {
			return n.ID == hex.EncodeToString(id) && n.alive()
		}))
	}
	return reply, err
}

func (g *gcs) GetAllNodeInfo(context.Context, *gcspb.GetAllNodeInfoRequest) (*gcspb.GetAllNodeInfoReply, error) {
	all, err := g.nodes(g.cluster)
	reply := &gcspb.GetAllNodeInfoReply{}
	if g.head {
		all = append(all, node{ID: g.cluster, Name: "head", Head: true})
	}
	for _, n := range all {
		reply.NodeInfoList = append(reply.NodeInfoList, n.info())
	}
	return reply, err
}

func (g *gcs) InternalKVGet(_ context.Context, q *gcspb.InternalKVGetRequest) (*gcspb.InternalKVGetReply, error) {
	if string(q.GetNamespace()) != "cluster" || string(q.GetKey()) != "CLUSTER_METADATA" {
		const notFound = 17 // in Ray's status.h
		return &gcspb.InternalKVGetReply{Status: &gcspb.GcsStatus{Code: notFound}}, nil
	}
	value, err := json.Marshal(map[string]string{"ray_version": rayVersion(), "python_version": pythonVersion()})
	return &gcspb.InternalKVGetReply{Value: value}, err
}
