package environ

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
)

// worker is a role with an [env].
func worker(env map[string]string) *role.Role {
	r := &role.Role{Env: env, EnvOrigins: map[string]string{}, EnvFrom: role.EnvFrom{NCCLDelivery: role.DeliverFile}}
	r.Ray.Bin = "/opt/ray/bin/ray"
	for name := range env {
		r.EnvOrigins[name] = "/etc/raynoded/role.toml:9 [env]"
	}
	return r
}

func profileOf(name string, settings map[string]string) *role.Profile {
	p := &role.Profile{Name: name, Env: map[string]role.ProfileValue{}}
	for variable, value := range settings {
		p.Env[variable] = role.ProfileValue{Value: value, Reason: "because"}
	}
	return p
}

// table is a result as a person would read it, the base left out.
func table(r Result) []string {
	lines := []string{}
	for _, v := range r.Values {
		if v.layer != base {
			lines = append(lines, strings.Join([]string{v.Name, string(v.Delivery), v.Value, v.Withheld, v.Origin}, "|"))
		}
	}
	return lines
}

func sources(r *role.Role) Sources {
	return Sources{Role: r, Environ: []string{"PATH=/usr/bin"}, ConfFile: "/run/raynoded/role/nccl.conf"}
}

func TestResolve_Layers(t *testing.T) {
	r := worker(map[string]string{"NCCL_DEBUG": "INFO", "TP_SOCKET_IFNAME": "", "NCCL_IB_GID_INDEX": "3"})
	r.EnvFrom.Inherit = []string{"SLURM_*", "NCCL_NET"}
	s := sources(r)
	s.Environ = []string{
		"PATH=/usr/bin",
		"SLURM_JOB_ID=7",
		"SLURM_EMPTY=",
		"NCCL_NET=IB",
		"NCCL_ALGO=Ring",
		"RAY_ADDRESS=x:1",
		"MY_TOKEN=hush",
		"HF_TOKEN=hush",
	}
	s.Profiles = []*role.Profile{
		profileOf(
			"infiniband",
			map[string]string{
				"NCCL_DEBUG":                        "WARN",
				"NCCL_NET":                          "Socket",
				"NCCL_IB_TIMEOUT":                   "20",
				"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME": "",
			},
		),
		profileOf("large", map[string]string{"NCCL_IB_TIMEOUT": "22"}),
	}
	s.Files = []File{
		{Path: "/etc/raynoded/secrets.env", Settings: []Setting{{"HF_TOKEN", 3, "hush"}, {"NCCL_IB_TIMEOUT", 4, ""}}},
	}
	s.Interface, s.Address, s.Host = "bond0", "10.4.0.17", fixture(t, "bond-ib")
	s.Node, s.StartIDVariable = []string{"RAY_AUTH_MODE=disabled", "RAY_CLOUD_INSTANCE_ID=m"}, "RAY_CLOUD_INSTANCE_ID"
	result := Resolve(s)
	require.Equal(t, []string{
		"GLOO_SOCKET_IFNAME|env|bond0||derived: netdev of node ip 10.4.0.17",
		"HF_TOKEN|env||secret|file /etc/raynoded/secrets.env:3",
		"NCCL_CONF_FILE|env|/run/raynoded/role/nccl.conf||raynoded: what is delivered by file",
		"NCCL_DEBUG|env|INFO||/etc/raynoded/role.toml:9 [env]",
		"NCCL_IB_GID_INDEX|file|3||/etc/raynoded/role.toml:9 [env]",
		"NCCL_IB_HCA|file|^=mlx5_bond_0||derived: RoCE port of the management interface bond0 excluded",
		"NCCL_IB_TIMEOUT|unset|||file /etc/raynoded/secrets.env:4",
		"NCCL_NET|env|Socket||profile infiniband: because",
		"NCCL_SOCKET_IFNAME|file|=bond0||derived: netdev of node ip 10.4.0.17",
		"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME|unset|||profile infiniband: because",
		"RAY_AUTH_MODE|env|disabled||raynoded: how this node is in its cluster",
		"RAY_CLOUD_INSTANCE_ID|env||new at every start|raynoded: tells this start from others",
		`SLURM_JOB_ID|env|7||env_from.inherit "SLURM_*": raynoded's own environment`,
		"TP_SOCKET_IFNAME|unset|||/etc/raynoded/role.toml:9 [env]",
	}, table(result))
	require.Equal(t, []string{
		"GLOO_SOCKET_IFNAME=bond0", "HF_TOKEN=hush", "NCCL_CONF_FILE=/run/raynoded/role/nccl.conf", "NCCL_DEBUG=INFO",
		"NCCL_NET=Socket",
		"PATH=/opt/ray/bin:/usr/bin", "RAY_USAGE_STATS_ENABLED=0",
		"RAY_raylet_client_connect_timeout_milliseconds=20", "RAY_raylet_client_num_connect_attempts=500", "SLURM_JOB_ID=7",
	}, result.Env())
	require.Equal(t, "NCCL_IB_GID_INDEX=3\nNCCL_IB_HCA=^=mlx5_bond_0\nNCCL_SOCKET_IFNAME==bond0\n", result.NCCLConf())
	require.Equal(t, []NotApplied{
		{"NCCL_ALGO", "Ring", ownOrigin, "only what env_from.inherit names is taken over"},
	}, result.NotApplied)
	require.NotContains(t, fmt.Sprintf("%v %+v", result, result), "hush")
}

// What was taken over gets to Ray as it is, and is not shown where it may be a secret.
func TestResolve_SecretsTakenOver(t *testing.T) {
	r := worker(nil)
	r.EnvFrom.Inherit = []string{"HF_*", "GIT_PROXY"}
	s := sources(r)
	s.Environ = []string{
		"HF_TOKEN=hush",
		"HF_HOME=/hf",
		"GIT_PROXY=a:hush@p",
		"https_proxy=http://a:hush@p:3128",
		"HTTP_PROXY=http://p:3128",
		"no_proxy=a.example",
	}
	result := Resolve(s)
	shown := map[string]string{}
	for _, v := range result.Values {
		shown[v.Name] = v.Value + v.Withheld
	}
	require.Equal(t, map[string]string{
		"GIT_PROXY": Secret, "HF_HOME": "/hf", "HF_TOKEN": Secret, "HTTP_PROXY": "http://p:3128",
		"PATH":                    "/opt/ray/bin:/usr/local/bin:/usr/bin:/bin",
		"RAY_USAGE_STATS_ENABLED": "0", "https_proxy": Secret, "no_proxy": "a.example",
		connectPause: "20", connectAttempts: "500",
	}, shown)
	for _, entry := range s.Environ {
		require.Contains(t, result.Env(), entry)
	}
	require.Equal(t, []Difference{{"HF_TOKEN", "has another value than it should (secret)"}},
		result.Compare([]string{"HF_TOKEN=other", "HF_HOME=/hf", "GIT_PROXY=a:hush@p"}, ""))
}

func TestResolve_DeliveryByEnv(t *testing.T) {
	r := worker(map[string]string{"NCCL_CONF_FILE": "/etc/mine"})
	r.EnvFrom.NCCLDelivery = role.DeliverEnv
	s := sources(r)
	s.Interface, s.Host = "eno1", fixture(t, "single-nic")
	result := Resolve(s)
	require.Empty(t, result.NCCLConf())
	require.Contains(t, result.Env(), "NCCL_SOCKET_IFNAME==eno1")
	require.Contains(t, result.Env(), "NCCL_CONF_FILE=/etc/mine")
}

func TestResolve_TooLongForNCCLsFile(t *testing.T) {
	long := strings.Repeat("a,", 600)
	result := Resolve(sources(worker(map[string]string{"NCCL_IB_HCA": "^" + long})))
	require.Contains(t, result.Env(), "NCCL_IB_HCA=^"+long)
	require.Empty(t, result.NCCLConf())
	require.Equal(
		t, []string{"NCCL_IB_HCA is longer than the 1023 bytes that NCCL takes from a file, and goes by the environment"},
		result.Warnings,
	)
}

func TestResolve_NothingToDerive(t *testing.T) {
	result := Resolve(sources(worker(nil)))
	require.Empty(t, table(result))
	connect := []string{connectPause + "=20", connectAttempts + "=500"}
	require.Equal(
		t, append([]string{"PATH=/opt/ray/bin:/usr/bin", "RAY_USAGE_STATS_ENABLED=0"}, connect...), result.Env(),
	)
	s := sources(worker(nil))
	s.Environ = []string{"RAY_USAGE_STATS_ENABLED=1"}
	require.Equal(
		t, append([]string{"PATH=/opt/ray/bin:/usr/local/bin:/usr/bin:/bin", "RAY_USAGE_STATS_ENABLED=1"}, connect...),
		Resolve(s).Env(),
	)
}

func TestResolve_Digest(t *testing.T) {
	of := func(change func(*Sources)) string {
		s := sources(worker(map[string]string{"NCCL_DEBUG": "WARN"}))
		change(&s)
		return Resolve(s).Digest
	}
	first := of(func(*Sources) {})
	require.Regexp(t, "^[0-9a-f]{8}$", first)
	same := map[string]func(*Sources){
		"the base":           func(s *Sources) { s.Environ = []string{"PATH=/x", "HOME=/y"} },
		"what is derived":    func(s *Sources) { s.Interface, s.Host.Interfaces = "eno1", []string{"eno1"} },
		"what is inherited":  func(s *Sources) { s.Environ, s.Role.EnvFrom.Inherit = []string{"RANK=1"}, []string{"RANK"} },
		"the head's threads": func(s *Sources) { s.Role.Env["RAY_gcs_server_rpc_server_thread_num"] = "96" },
		"UCX's devices":      func(s *Sources) { s.Role.Env["UCX_NET_DEVICES"] = "mlx5_0:1" },
	}
	derivations, _ := derive(fixture(t, "bond-ib"), "bond0", "10.4.0.17")
	require.Len(t, derivations, 5)
	for _, d := range derivations {
		same["the device's name in "+d.name] = func(s *Sources) { s.Role.Env[d.name] = d.value }
	}
	for name, change := range same {
		require.Equal(t, first, of(change), name)
	}
	file := func(name, value string) func(*Sources) {
		return func(s *Sources) { s.Files = []File{{Settings: []Setting{{name, 1, value}}}} }
	}
	seen := map[string]string{first: "nothing"}
	for name, change := range map[string]func(*Sources){
		"another value": func(s *Sources) { s.Role.Env["NCCL_DEBUG"] = "INFO" },
		"unset":         func(s *Sources) { s.Role.Env["NCCL_DEBUG"] = "" },
		"another name":  func(s *Sources) { s.Role.Env["NCCL_NET"] = "IB" },
		"a profile": func(s *Sources) {
			s.Profiles = []*role.Profile{profileOf("p", map[string]string{"NCCL_NET": "Socket"})}
		},
		"a file":         file("NCCL_NET", "gIB"),
		"a secret":       file("HF_TOKEN", "one"),
		"another secret": file("WANDB_API_KEY", "one"),
	} {
		d := of(change)
		require.NotContains(t, seen, d, name)
		seen[d] = name
	}
	require.Equal(t, of(file("HF_TOKEN", "one")), of(file("HF_TOKEN", "two")), "a digest must not tell secrets")
	require.Equal(t, of(file("MY_OWN", "one")), of(file("MY_OWN", "two")), "nor what may be one")
}

func TestWarnings(t *testing.T) {
	cases := []struct {
		name, value string
		want        []string
	}{
		{"NCCL_DEBUG", "WARN", nil},
		{"NCCL_DEBUG", "info", nil},
		{
			"NCCL_DEBUG", "ERROR",
			[]string{"NCCL_DEBUG: NCCL does not know this level and prints nothing: it knows VERSION, WARN, INFO, ABORT, TRACE"},
		},
		{
			"NCCL_ASYNC_ERROR_HANDLING", "1",
			[]string{"NCCL_ASYNC_ERROR_HANDLING: an obsolete name: PyTorch reads TORCH_NCCL_ASYNC_ERROR_HANDLING"},
		},
		{
			"NCCL_P2P_DISABLE", "1",
			[]string{"NCCL_P2P_DISABLE: NCCL calls this a debugging variable: it keeps NCCL from making a better choice"},
		},
		{"NCCL_SOCKET_IFNAME", "eth", []string{"NCCL_SOCKET_IFNAME: this host has no interface eth"}},
		{"NCCL_SOCKET_IFNAME", "eno,bond", nil},
		{"NCCL_SOCKET_IFNAME", "=eno", []string{"NCCL_SOCKET_IFNAME: this host has no interface eno"}},
		{"NCCL_SOCKET_IFNAME", "^docker", nil},
		{"NCCL_IB_HCA", "=mlx5_0:1,mlx5_7:1", []string{"NCCL_IB_HCA: this host has no RDMA device mlx5_7"}},
		{
			"GLOO_SOCKET_IFNAME", "=bond0",
			[]string{"GLOO_SOCKET_IFNAME: must be names of interfaces: ^ and = mean something to NCCL only"},
		},
		{"GLOO_SOCKET_IFNAME", "bond", []string{"GLOO_SOCKET_IFNAME: this host has no interface bond"}},
		{"GLOO_SOCKET_IFNAME", "", nil},
	}
	for _, c := range cases {
		s := sources(worker(map[string]string{c.name: c.value}))
		s.Host = fixture(t, "bond-ib")
		want := []string{}
		for _, text := range c.want {
			want = append(want, text+" (/etc/raynoded/role.toml:9 [env])")
		}
		require.Equal(t, want, Resolve(s).Warnings, "%s=%s", c.name, c.value)
	}
}

func TestWarnings_Derivation(t *testing.T) {
	s := sources(worker(nil))
	s.Interface, s.Host = "rail0", fixture(t, "roce-equal")
	require.Len(t, Resolve(s).Warnings, 1)
	s.Role.Env = map[string]string{"NCCL_IB_HCA": ""}
	require.Empty(t, Resolve(s).Warnings, "a person has said it")

	s = sources(worker(nil))
	s.Address = "10.4.0.17"
	require.Equal(
		t,
		[]string{
			"no interface of this host, other than the loopback one, has the node's address 10.4.0.17: nothing is derived " +
				"from it",
		},
		Resolve(s).Warnings,
	)
	s.Address, s.Files = "", []File{{Path: "/s.env", Settings: []Setting{{"NCCL_SOCKET_IFNAME", 1, "hush"}}}}
	require.Equal(
		t, []string{"NCCL_SOCKET_IFNAME: it names something that this host does not have (file /s.env:1)"},
		Resolve(s).Warnings,
	)

	s = sources(worker(nil))
	s.Profiles = []*role.Profile{profileOf("mine", map[string]string{"GLOO_SOCKET_IFNAME": "eno9"})}
	s.Interface, s.Host = "eno1", fixture(t, "single-nic")
	require.Equal(
		t,
		[]string{
			`GLOO_SOCKET_IFNAME = "eno9" (profile mine: because) gives way to what was derived, ` +
				`"eno1": to keep it, say it in [env]`,
		},
		Resolve(s).Warnings,
	)
}

func TestCompare(t *testing.T) {
	r := worker(map[string]string{"NCCL_DEBUG": "WARN", "NCCL_NET": "IB", "NCCL_ALGO": "", "OMP_NUM_THREADS": "4"})
	s := sources(r)
	s.Files = []File{{Settings: []Setting{{"HF_TOKEN", 1, "hush"}}}}
	s.Interface, s.Host = "eno1", fixture(t, "single-nic")
	s.Node, s.StartIDVariable = []string{"RAY_AUTH_MODE=disabled", "RAY_CLOUD_INSTANCE_ID=m"}, "RAY_CLOUD_INSTANCE_ID"
	result := Resolve(s)
	process := append(
		result.Env(), "RAY_AUTH_MODE=disabled", "RAY_CLOUD_INSTANCE_ID=x", "CUDA_VISIBLE_DEVICES=0", "RAY_JOB_ID=1",
		"LANG=C",
	)
	require.Equal(t, []Difference{}, result.Compare(process, result.NCCLConf()))
	require.Equal(t, []Difference{
		{"GLOO_SOCKET_IFNAME", `"eth0", and should be "eno1"`},
		{"HF_TOKEN", "has another value than it should (secret)"},
		{"NCCL_ALGO", "is set, and should not be"},
		{"NCCL_DEBUG", `is not set, and should be "WARN"`},
		{"NCCL_SOCKET_IFNAME", "is in the environment, which for NCCL comes before its file"},
		{"NCCL_SOCKET_IFNAME", `is not set, and should be "=eno1"`},
		{"NCCL_PROTO", "is set, and nothing here says so"},
	}, result.Compare([]string{
		"GLOO_SOCKET_IFNAME=eth0", "HF_TOKEN=other", "NCCL_ALGO=", "NCCL_SOCKET_IFNAME=eth",
		"NCCL_CONF_FILE=/run/raynoded/role/nccl.conf",
		"NCCL_NET=IB", "NCCL_PROTO=Simple", "NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME==eno1", "OMP_NUM_THREADS=4",
		"RAY_AUTH_MODE=disabled", "TP_SOCKET_IFNAME=eno1",
	}, ""))
}

// What a process finds in its file for NCCL counts as what it has in its environment.
func TestCompare_FileForNCCL(t *testing.T) {
	const conf = "NCCL_IB_GID_INDEX=3\nNCCL_IB_HCA=mlx5_0\nNCCL_SOCKET_IFNAME==eno1\n"
	s := sources(worker(map[string]string{"NCCL_IB_HCA": ""}))
	s.Interface, s.Host = "eno1", fixture(t, "single-nic")
	result := Resolve(s)
	require.Equal(t, []Difference{
		{"NCCL_IB_HCA", "is set, and should not be"},
		{"NCCL_IB_GID_INDEX", "is in the file for NCCL, and nothing here says so"},
	}, result.Compare(result.Env(), conf))

	s.Role.Env["NCCL_CONF_FILE"], s.Role.EnvFrom.NCCLDelivery = "/etc/mine", role.DeliverEnv
	result = Resolve(s)
	require.Equal(t, []Difference{}, result.Compare(result.Env(), conf), "a file of the site's own")
}
