package ray

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
)

func four() *int { n := 4; return &n }

func zero() *int { return new(int) }

func newRole() *role.Role {
	r := &role.Role{}
	r.Ray.Bin = "/opt/ray/bin/ray"
	r.Ray.DashboardHost = "127.0.0.1"
	r.Watchdog.Silent = role.Duration{Duration: 30 * time.Second}
	r.Watchdog.Stuck = role.Duration{Duration: time.Minute}
	return r
}

func TestNode_Args(t *testing.T) {
	everything := newRole()
	everything.Ray.NumCPUs, everything.Ray.NumGPUs = four(), zero()
	everything.Ray.Memory, everything.Ray.ObjectStoreMemory = 1<<30, 100_000_000
	everything.Ray.Resources = map[string]float64{"rack": 1, "learner": 2.5}
	everything.Ray.Labels = map[string]string{"zone": "b", "fabric": "ib"}
	everything.Ray.SystemConfig = map[string]any{"health_check_period_ms": int64(3000)}
	everything.Ray.Ports = role.Ports{
		NodeManager:  7001,
		WorkerMin:    20000,
		WorkerMax:    21000,
		Dashboard:    8266,
		ClientServer: 10002,
	}
	everything.Ray.ExtraArgs = []string{"--include-dashboard=false"}
	cases := []struct {
		name string
		node Node
		want string
	}{
		{
			"head",
			Node{Role: newRole(), Head: true, Address: "10.0.0.1:6379", IP: "10.0.0.1", Name: "gpu-001", TempDir: "/t"},
			"start --log-style=record --log-color=false --head --port=6379 --dashboard-host=127.0.0.1 " +
				"--node-ip-address=10.0.0.1 --node-name=gpu-001 --temp-dir=/t",
		},
		{
			"worker",
			Node{Role: newRole(), Address: "[fd00::1]:6379", IP: "fd00::2", Name: "gpu-002", TempDir: "/t"},
			"start --log-style=record --log-color=false --address=[fd00::1]:6379 --node-ip-address=fd00::2 " +
				"--node-name=gpu-002 --temp-dir=/t",
		},
		{
			"everything",
			Node{Role: everything, Head: true, Address: "10.0.0.1:6400", IP: "10.0.0.1", Name: "h", TempDir: "/t"},
			"start --log-style=record --log-color=false --head --port=6400 --dashboard-host=127.0.0.1 " +
				`--system-config={"health_check_period_ms":3000} --node-ip-address=10.0.0.1 --node-name=h --temp-dir=/t ` +
				"--num-cpus=4 --num-gpus=0 --memory=1073741824 --object-store-memory=100000000 " +
				`--resources={"learner":2.5,"rack":1} --labels=fabric=ib,zone=b --node-manager-port=7001 ` +
				"--min-worker-port=20000 --max-worker-port=21000 --dashboard-port=8266 --ray-client-server-port=10002 " +
				"--include-dashboard=false",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			require.Equal(t, c.want, strings.Join(c.node.Args(), " "))
		})
	}
}

func TestNode_Own(t *testing.T) {
	n := Node{Role: newRole(), Address: "10.0.0.1:6379", TempDir: "/t", StartID: "m"}
	require.Equal(t, []string{
		"RAY_AUTH_MODE=disabled", "RAY_CLOUD_INSTANCE_ID=m", "RAY_gcs_rpc_server_reconnect_timeout_s=120",
	}, n.Env(), "Ray itself must not be told of a cluster by the environment")

	n.TokenFile = "/run/credentials/ray-token"
	require.Equal(t, []string{
		"RAY_ADDRESS=10.0.0.1:6379", "RAY_TMPDIR=/t", "RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH=/run/credentials/ray-token",
	}, n.DriverEnv())
}

func TestNode_Own_PersistentHead(t *testing.T) {
	n := Node{Role: newRole(), Head: true, Address: "10.0.0.1:6379", TempDir: "/t", StartID: "m", StoreDir: "/s/gcs"}
	n.Role.Cluster.Head = role.Address{Host: "gpu-001", Port: 6379}
	common := []string{"RAY_AUTH_MODE=disabled", "RAY_CLOUD_INSTANCE_ID=m"}
	require.Equal(t, append(common, "RAY_gcs_rpc_server_reconnect_timeout_s=120"), n.Env())

	n.Role.Cluster.PersistentHead = true
	n.Role.Watchdog.HeadReturn = role.Duration{Duration: 15 * time.Minute}
	common = append(common, "RAY_gcs_rpc_server_reconnect_timeout_s=960")
	require.Equal(t, append(common, "RAY_gcs_storage=rocksdb", "RAY_gcs_storage_path=/s/gcs"), n.Env())
	require.Contains(
		t, n.DriverEnv(), "RAY_gcs_rpc_server_reconnect_timeout_s=960", "a driver waits as long as its workers",
	)

	n.Role.Cluster.Redis = role.Address{Host: "redis", Port: 7000}
	require.Equal(
		t, append(common, "RAY_REDIS_ADDRESS=redis:7000", "RAY_external_storage_namespace=gpu-001:6379"), n.Env(),
	)

	n.Head = false
	require.Equal(t, common, n.Env(), "only the head has a state to keep")
}

func TestNode_Labels(t *testing.T) {
	r := newRole()
	label := func(version, digest string) string {
		for _, arg := range (Node{Role: r, Version: version, Digest: digest}).Args() {
			if value, found := strings.CutPrefix(arg, "--labels="); found {
				return value
			}
		}
		return ""
	}
	require.Empty(t, label("2.60.0", ""))
	require.Equal(t, "raynoded.env=1a2b3c4d", label("2.60.0", "1a2b3c4d"))
	require.JSONEq(t, `{"raynoded.env":"1a2b3c4d"}`, label("2.9.3", "1a2b3c4d"))
	r.Ray.Labels = map[string]string{"rack": "r7"}
	require.Equal(t, "rack=r7,raynoded.env=1a2b3c4d", label("2.61.0", "1a2b3c4d"))
	require.Equal(t, "rack=r7", label("2.45.0", ""), "ray/_private/label_utils.py came with it")
	require.JSONEq(t, `{"rack":"r7"}`, label("2.44.1", ""))
	r.Ray.Labels = map[string]string{DigestLabel: "mine"}
	require.Equal(t, "raynoded.env=mine", label("2.60.0", "1a2b3c4d"), "the role file has the last word")
}
