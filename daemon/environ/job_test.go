package environ

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
)

// head is a head with a job whose node is reached by eno1.
func head(t *testing.T, env map[string]string) Sources {
	t.Helper()
	s := sources(worker(env))
	s.Role.Kind, s.Role.Job.Command = role.Head, []string{"python", "train.py"}
	s.Interface, s.Address, s.Host = "eno1", "10.4.0.17", fixture(t, "single-nic")
	s.Node, s.StartIDVariable = []string{"RAY_AUTH_MODE=disabled", "RAY_CLOUD_INSTANCE_ID=m"}, "RAY_CLOUD_INSTANCE_ID"
	return s
}

func TestJobEnv(t *testing.T) {
	const gloo, tp, nvshmem = "GLOO_SOCKET_IFNAME=eno1", "TP_SOCKET_IFNAME=eno1",
		"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME==eno1"
	cases := []struct {
		name   string
		env    map[string]string
		change func(*Sources)
		less   []string // what Ray has and the job has not
	}{
		{name: "derived", less: []string{gloo, nvshmem, tp}},
		{
			name:   "for NCCL by the environment",
			change: func(s *Sources) { s.Role.EnvFrom.NCCLDelivery = role.DeliverEnv },
			less:   []string{gloo, "NCCL_SOCKET_IFNAME==eno1", nvshmem, tp},
		},
		{name: "said in [env]", env: map[string]string{"GLOO_SOCKET_IFNAME": "eno1"}, less: []string{nvshmem, tp}},
		{name: "unset in [env]", env: map[string]string{"GLOO_SOCKET_IFNAME": ""}, less: []string{nvshmem, tp}},
		{
			name: "said in a file",
			change: func(s *Sources) {
				s.Files = []File{{Path: "/s.env", Settings: []Setting{{"TP_SOCKET_IFNAME", 1, "eno1"}}}}
			},
			less: []string{gloo, nvshmem},
		},
		{name: "a cluster of one host", change: func(s *Sources) { s.Role.Cluster.Nodes = 1 }},
		{name: "no job", change: func(s *Sources) { s.Role.Job.Command = nil }},
		{name: "a worker", change: func(s *Sources) { s.Role.Kind = role.Worker }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := head(t, c.env)
			if c.change != nil {
				c.change(&s)
			}
			r := Resolve(s)
			ray, job := r.Env(), r.JobEnv()
			require.Subset(t, ray, job)
			var less []string
			for _, entry := range ray {
				if !slices.Contains(job, entry) {
					less = append(less, entry)
				}
			}
			require.Equal(t, c.less, less)
		})
	}
}

func TestWarnings_Job(t *testing.T) {
	const after = ": [job] has it too, and a job that sends its environment to other hosts puts this value on all of " +
		"them (/etc/raynoded/role.toml:9 [env])"
	s := head(t, map[string]string{
		"GLOO_SOCKET_IFNAME": "eno1", "UCX_NET_DEVICES": "mlx5_0:1", "NCCL_SOCKET_IFNAME": "=eno1", "TP_SOCKET_IFNAME": "",
	})
	require.Equal(t, []string{"GLOO_SOCKET_IFNAME" + after, "UCX_NET_DEVICES" + after}, Resolve(s).Warnings)
	s.Role.Cluster.Nodes = 1
	require.Empty(t, Resolve(s).Warnings)
}

func TestCompare_Job(t *testing.T) {
	r := Resolve(head(t, nil))
	job := append(r.JobEnv(), "RAY_ADDRESS=10.4.0.17:6379")
	require.Equal(t, []Difference{}, r.Compare(job, r.NCCLConf()))
	require.Equal(t, []Difference{{"GLOO_SOCKET_IFNAME", "is set, and should not be"}},
		r.Compare(append(job, "GLOO_SOCKET_IFNAME=eno1"), r.NCCLConf()))
	require.Equal(t, []Difference{{"RAY_AUTH_MODE", `"token", and should be "disabled"`}},
		r.Compare(append(job, "RAY_AUTH_MODE=token"), r.NCCLConf()))
	task := append(job, "RAY_CLOUD_INSTANCE_ID=x", "RAY_AUTH_MODE=disabled")
	require.Equal(t, []Difference{
		{"GLOO_SOCKET_IFNAME", `is not set, and should be "eno1"`},
		{"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME", `is not set, and should be "=eno1"`},
		{"TP_SOCKET_IFNAME", `is not set, and should be "eno1"`},
	}, r.Compare(task, r.NCCLConf()), "a process that a raylet has started")
}
