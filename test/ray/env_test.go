//go:build ray

package ray

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// seen is what a process finds on its host.
type seen struct {
	Env  map[string]string
	Conf string // of the file that its NCCL_CONF_FILE names
}

// nccl is the value that NCCL takes for a variable: that of the environment comes first.
func (s seen) nccl(name string) string {
	if value, set := s.Env[name]; set {
		return value
	}
	for line := range strings.Lines(s.Conf) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name+"="); found {
			return value
		}
	}
	return ""
}

// findings are what test/programs/environ.py prints: by node, as it is, and after the driver has
// sent its environment.
type findings struct {
	AsIs, Sent map[string]seen
	Driver     seen
	Labels     map[string]map[string]string // of the nodes, as Ray shows them
}

// wiring are the network interfaces of the two hosts.
var wiring = map[string]string{"a": "fabric0", "b": "rail7"}

// TestEnv_TwoHosts is real Ray on two hosts whose interfaces have different names.
func TestEnv_TwoHosts(t *testing.T) {
	t.Run("File", func(t *testing.T) {
		said, found := observe(t, "file")
		for name, netdev := range wiring {
			sees(t, said[name], found.AsIs[name])
			require.Equal(t, "="+netdev, found.AsIs[name].nccl("NCCL_SOCKET_IFNAME"))
			require.NotContains(
				t, found.AsIs[name].Env, "NCCL_SOCKET_IFNAME", "a program that copies its environment must not see it",
			)
			require.Equal(
				t, "="+netdev, found.Sent[name].nccl("NCCL_SOCKET_IFNAME"), "the driver's environment has overwritten that of %s",
				name,
			)
			require.Equal(t, netdev, found.Sent[name].Env["GLOO_SOCKET_IFNAME"], "the job has none to send")
		}
		require.Equal(t, said["a"].Digest, found.Labels["a"]["raynoded.env"])
		require.Equal(t, said["a"].Digest, found.Labels["b"]["raynoded.env"])
		for _, v := range said["a"].Values {
			switch {
			case v.RayOnly:
				require.NotContains(t, found.Driver.Env, v.Name)
			case v.Delivery == environ.ByEnv && v.Withheld == "" && !strings.HasPrefix(v.Origin, "raynoded: how this node"):
				require.Equal(t, v.Value, found.Driver.Env[v.Name], "the job has it too: %s", v.Name)
			}
		}
	})
	t.Run("Env", func(t *testing.T) {
		said, found := observe(t, "env")
		for name, netdev := range wiring {
			sees(t, said[name], found.AsIs[name])
			require.Equal(t, "="+netdev, found.AsIs[name].Env["NCCL_SOCKET_IFNAME"])
			require.Equal(t, "="+netdev, found.Sent[name].nccl("NCCL_SOCKET_IFNAME"), "the job has none to send")
			require.NotContains(t, found.AsIs[name].Env, "NCCL_CONF_FILE")
		}
	})
}

// observe makes the cluster, and returns what `raynoded env` said on each host and what tasks found
// there.
func observe(t *testing.T, delivery string) (map[string]host.Environment, findings) {
	t.Helper()
	s := site.New(t, "2.60.0")
	network := lab.NewNetwork(t)
	s.Head = "a.lab:6379"
	common := `
[cluster]
head = "$HEAD"
nodes = 2
[node]
name = "$NAME"
[auth]
mode = "none"
[env]
MY_OWN = "1"
NCCL_ALGO = ""
[env_from]
profiles = ["open-instruct"]
files = ["$DIR/secrets.env"]
inherit = ["LAUNCHER_*"]
nccl_delivery = "` + delivery + `"
[ray]
bin = "$BIN"
num_cpus = 2
num_gpus = 0
object_store_memory = "100MB"
`
	members := map[string]*site.Member{
		"a": s.Member(t, "a", `role = "head"`+common+`extra_args = ["--include-dashboard=false"]
[job]
command = ["python", "`+lab.File(t, "test/programs/environ.py")+`"]
wait_timeout = "2m"
`, site.QuickStop),
		"b": s.Member(t, "b", `role = "worker"`+common, site.QuickStop),
	}
	profile, err := os.ReadFile(lab.File(t, "etc/profiles/open-instruct.toml"))
	require.NoError(t, err)
	members["a"].Write(t, filepath.Join(s.Dir, "profiles", "open-instruct.toml"), string(profile))
	members["a"].Write(t, filepath.Join(s.Dir, "secrets.env"), "HF_TOKEN=hush-hush\n")

	said, running := map[string]host.Environment{}, map[string]*lab.Process{}
	for _, name := range slices.Sorted(maps.Keys(wiring)) {
		place := lab.Netns(t, network, name, "")
		// One path on both hosts, with another content.
		place.Sh(
			t,
			"ip link set "+lab.Interface+" down && ip link set "+lab.Interface+" name "+wiring[name]+" && ip link set "+
				""+wiring[name]+" up && "+
				"mount -t tmpfs run /mnt",
		)
		dir := filepath.Join(s.Dir, name)
		role := members[name].RoleFile()
		raynoded := []string{
			"env", "-i", "STATE_DIRECTORY=" + dir, "RUNTIME_DIRECTORY=/mnt/run", "HOME=" + dir, "PATH=/usr/bin:/bin",
			"GORACE=atexit_sleep_ms=0",
			"LAUNCHER_RANK=" + name, "OF_THE_SERVICE=1", "INVOCATION_ID=1", "NCCL_ALGO=Ring", "WATCHDOG_PID=1", lab.Binary(t),
		}
		out := place.Sh(t, strings.Join(append(raynoded, "env", "--json", "--role", role), " "))
		var e host.Environment
		require.NoError(t, json.Unmarshal([]byte(out), &e))
		said[name] = e
		require.NotContains(t, out, "hush")
		running[name] = place.Start(t, append(raynoded, "run", "--role", role)...)
	}
	require.Equal(t, 0, running["a"].Wait(t, lab.Patience), running["a"].Output())
	require.Equal(t, 0, running["b"].Wait(t, lab.Patience), running["b"].Output())
	_, line, is := strings.Cut(running["a"].Output(), "\nfound ")
	require.True(t, is, running["a"].Output())
	line, _, _ = strings.Cut(line, "\n")
	var found findings
	require.NoError(t, json.Unmarshal([]byte(line), &found))
	return said, found
}

// sees compares what a task found with what `raynoded env` said of its host. What Ray adds is
// listed by name.
func sees(t *testing.T, said host.Environment, found seen) {
	t.Helper()
	want := map[string]string{"HF_TOKEN": "hush-hush"}
	conf := ""
	for _, v := range said.Values {
		switch {
		case v.Delivery == environ.ByFile:
			conf += v.Name + "=" + v.Value + "\n"
		case v.Delivery == environ.ByEnv && v.Withheld == "":
			want[v.Name] = v.Value
		case v.Delivery == environ.Unset:
			require.NotContains(t, found.Env, v.Name)
		}
	}
	require.Regexp(t, "^raynoded-[0-9a-f]{16}$", found.Env["RAY_CLOUD_INSTANCE_ID"])
	got := maps.Clone(found.Env)
	maps.DeleteFunc(got, func(name, _ string) bool { return slices.Contains(rayAdds, name) && want[name] == "" })
	require.Equal(t, want, got)
	require.Equal(t, conf, found.Conf)
}

// rayAdds are the variables that Ray adds in a task, raynoded's mark, and what Python sets where
// there is no LANG.
var rayAdds = append([]string{"RAY_CLOUD_INSTANCE_ID", "LC_CTYPE"}, environ.RayAdds...)
