//go:build ray && matrix

package ray

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// TestNCCL is NVIDIA's own library on hosts with several network interfaces. It is found by the one
// that has the node's address, in the job and in tasks, whatever it would have chosen by itself.
// The environment comes before raynoded's file, and that before /etc/nccl.conf.
//
// NCCL knows of an interface its name, its flags and its addresses. So a bond or a VLAN is here an
// interface with such a name, which needs nothing of the kernel.
func TestNCCL(t *testing.T) {
	library := lab.NCCL(t)
	for _, c := range []struct {
		name   string
		node   string   // the interface with the node's address
		others []string // further ones, which NCCL sees first
		conf   string   // /etc/nccl.conf
		alone  string   // what NCCL takes if it has nothing from raynoded
	}{
		{name: "Docker", node: "eno1", others: []string{"docker0"}, alone: "eno1"},
		{name: "a network of Docker's", node: "eno1", others: []string{"docker0", "br-5f2c9d01"}, alone: "br-5f2c9d01"},
		{name: "a name that begins as another", node: "eth1", others: []string{"eth10"}, alone: "eth10"},
		{name: "a bond", node: "bond0", others: []string{"usb0"}, alone: "usb0"},
		{name: "a VLAN of a bond", node: "bond0.100", others: []string{"bond0"}, alone: "bond0"},
		{name: "the bond of a VLAN", node: "bond0", others: []string{"bond0.100"}, alone: "bond0.100"},
		{name: "IPoIB", node: "eno1", others: []string{"ib0"}, alone: "ib0"},
		{name: "two", node: "ethb", others: []string{"etha"}, alone: "etha"},
		{
			name: "a file of the host's", node: "ethb", others: []string{"etha", "ethc"},
			conf: "NCCL_SOCKET_IFNAME==ethc\n", alone: "ethc",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, found := observeNCCL(t, library, c.node, c.others, c.conf)
			require.Equal(t, c.node, said.Interface)
			want := map[string]string{"as it is": c.node, "alone": c.alone, "chosen": "lo"}
			require.Equal(t, map[string]map[string]string{"job": want, "task": want, "sent": want}, found)
		})
	}
}

// observeNCCL runs a head with test/programs/nccl.py as its job, on a host with these interfaces.
// It returns what `raynoded env` said, and what the program found.
func observeNCCL(
	t *testing.T, library, node string, others []string, conf string,
) (said host.Environment, found map[string]map[string]string) {
	t.Helper()
	s := site.New(t, "2.60.0")
	s.Head = "a.lab:6379"
	head := s.Member(t, "a", `role = "head"
[cluster]
head = "$HEAD"
[node]
name = "$NAME"
[auth]
mode = "none"
[ray]
bin = "$BIN"
num_cpus = 2
num_gpus = 0
object_store_memory = "100MB"
extra_args = ["--include-dashboard=false"]
[job]
command = ["python", "`+lab.File(t, "test/programs/nccl.py")+`", "`+library+`"]
wait_timeout = "2m"
`, site.QuickStop)
	place := lab.Netns(t, lab.NewNetwork(t), "a", "")
	place.Sh(t, cabling(place.Address, node, others))
	if conf != "" {
		place.Sh(t, "printf '"+conf+"' >/mnt/etc/nccl.conf && "+overlayEtc)
	}
	dir := filepath.Join(s.Dir, "a")
	raynoded := []string{
		"env", "-i", "STATE_DIRECTORY=" + dir, "RUNTIME_DIRECTORY=/mnt/run", "HOME=" + dir, "PATH=/usr/bin:/bin",
		"GORACE=atexit_sleep_ms=0", lab.Binary(t),
	}
	out := place.Sh(t, strings.Join(append(raynoded, "env", "--json", "--role", head.RoleFile()), " "))
	require.NoError(t, json.Unmarshal([]byte(out), &said))
	running := place.Start(t, append(raynoded, "run", "--role", head.RoleFile())...)
	require.Equal(t, 0, running.Wait(t, lab.Patience), running.Output())
	_, line, is := strings.Cut(running.Output(), "\nfound ")
	require.True(t, is, running.Output())
	line, _, _ = strings.Cut(line, "\n")
	require.NoError(t, json.Unmarshal([]byte(line), &found))
	return said, found
}

// cabling is a script that makes the host's interfaces, the node's at the end: NCCL looks at them
// in this order. In /mnt it makes room.
func cabling(address netip.Addr, node string, others []string) string {
	lines := []string{
		"set -e",
		"mount -t tmpfs room /mnt && mkdir /mnt/etc /mnt/work",
		fmt.Sprintf("ip address flush dev %s && ip link set %[1]s down", lab.Interface),
	}
	add := func(name, address string) {
		far := fmt.Sprintf("far%d", len(lines))
		lines = append(lines, fmt.Sprintf(
			"ip link add %s type veth peer name %s && ip address add %s/24 dev %[1]s && ip link set %[1]s up && "+
				"ip link set %[2]s up", name, far, address,
		))
	}
	for i, name := range others {
		add(name, fmt.Sprintf("10.99.%d.2", i))
	}
	add(node, address.String())
	return strings.Join(lines, "\n")
}

// overlayEtc lays /mnt/etc over the machine's /etc, and keeps the host's own list of hosts.
const overlayEtc = `cp /etc/hosts /mnt/etc/hosts &&
mount -t overlay etc -o lowerdir=/etc,upperdir=/mnt/etc,workdir=/mnt/work /etc`
