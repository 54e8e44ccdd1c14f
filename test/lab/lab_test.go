//go:build systemd

package lab_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// listen answers one connection on port 5000 with the host's name.
const listen = `python3 -c '
import socket
s = socket.create_server(("", 5000))
print("listening", flush=True)
c, _ = s.accept()
c.sendall(socket.gethostname().encode())
'`

func ask(name string) string {
	return fmt.Sprintf(`python3 -c '
import socket
print(socket.create_connection((%q, 5000), timeout=3).recv(100).decode())
'`, name+".lab")
}

// requireAnswer proves that a TCP connection from one host to the other works.
func requireAnswer(t *testing.T, from, to *lab.Node) {
	t.Helper()
	server := to.Start(t, "sh", "-c", "exec "+listen)
	lab.Until(t, 10*time.Second, to.Name+" listens", func() bool { return server.Output() == "listening\n" })
	require.Equal(t, to.Name, from.Sh(t, ask(to.Name)))
	require.Zero(t, server.Wait(t, 10*time.Second))
}

func requireNothingLeft(t *testing.T) {
	t.Helper()
	left, err := lab.Leftovers()
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestLab_Boot(t *testing.T) {
	t.Run("hosts", func(t *testing.T) {
		network := lab.NewNetwork(t)
		started := time.Now()
		hosts := lab.BootAll(t,
			lab.HostOptions{Name: "a", Root: "bookworm", Net: network},
			lab.HostOptions{Name: "b", Root: "trixie", Net: network},
		)
		t.Logf("two hosts booted in %s", time.Since(started))
		a, b := hosts[0], hosts[1]

		require.Contains(t, a.Sh(t, "systemctl --version"), "systemd 252 ")
		require.Contains(t, b.Sh(t, "systemctl --version"), "systemd 257 ")
		require.Equal(t, "cgroup2fs", a.Sh(t, "stat --file-system --format=%T /sys/fs/cgroup"))
		require.Equal(t, "b", b.Sh(t, "hostname"))
		require.NotEqual(t, a.Get(t, "/etc/machine-id"), b.Get(t, "/etc/machine-id"))

		requireAnswer(t, a.Node, b.Node)
		requireAnswer(t, b.Node, a.Node)

		result := a.Run(t, "echo out; echo err >&2; exit 7")
		require.Equal(t, "out\n", result.Stdout)
		require.Equal(t, "err\n", result.Stderr)
		require.Equal(t, 7, result.Code)
		require.Equal(t, 128+9, a.Run(t, "kill -9 $$").Code)

		for _, h := range hosts {
			h.Put(t, "/etc/systemd/system/x.service", "[Service]\nExecStart=sh -c 'echo said by x; exec sleep 1000'\n", "644")
			h.Sh(t, "systemctl daemon-reload && systemctl start x.service")
			require.Equal(
				t, map[string]string{"ActiveState": "active", "SubState": "running"},
				h.Show(t, "x.service", "ActiveState", "SubState"),
			)
			lab.Until(t, 10*time.Second, "x sleeps", func() bool {
				var found []string
				for _, p := range h.Procs(t) {
					if p.Cgroup == "/system.slice/x.service" {
						found = append(found, strings.Join(p.Args, " "))
					}
				}
				return slices.Equal([]string{"sleep 1000"}, found)
			})
			lab.Until(t, 10*time.Second, "x is heard", func() bool {
				return strings.Contains(h.Journal(t, "--unit=x.service", "--output=cat"), "said by x\n")
			})
			require.Equal(t, "/lab", strings.TrimPrefix(h.Sh(t, "cat /proc/self/cgroup | grep ^0:"), "0::"))
		}
	})
	requireNothingLeft(t)
}

func TestLab_Power(t *testing.T) {
	t.Run("hosts", func(t *testing.T) {
		network := lab.NewNetwork(t)
		b := lab.Netns(t, network, "b", "")
		for _, suite := range []string{"bookworm", "trixie"} {
			a := lab.Boot(t, lab.HostOptions{Name: suite, Root: suite, Net: network})
			boot := "cat /proc/sys/kernel/random/boot_id"
			first := a.Sh(t, boot)
			a.Put(t, "/etc/kept", "yes", "600")

			started := time.Now()
			a.Reboot(t)
			t.Logf("%s: reboot took %s", suite, time.Since(started))
			second := a.Sh(t, boot)
			require.NotEqual(t, first, second)
			require.Equal(t, "yes", a.Get(t, "/etc/kept"))
			require.Equal(t, "600", a.Sh(t, "stat -c %a /etc/kept"))
			requireAnswer(t, b, a.Node)

			a.Kill(t)
			a.PowerOn(t)
			require.NotEqual(t, second, a.Sh(t, boot))
			require.Equal(t, "yes", a.Get(t, "/etc/kept"))
			requireAnswer(t, b, a.Node)

			a.Run(t, "systemctl reboot")
			lab.Until(t, time.Minute, "the host is off", func() bool { return !a.On() })
			a.PowerOn(t)
			a.PowerOff(t)
		}
	})
	requireNothingLeft(t)
}

// TestLab_Ray starts a cluster by hand over two hosts that have the same Python,
// and a head on the third.
func TestLab_Ray(t *testing.T) {
	t.Run("hosts", func(t *testing.T) {
		network := lab.NewNetwork(t)
		hosts := lab.BootAll(t,
			lab.HostOptions{Name: "a", Root: "bookworm", Net: network},
			lab.HostOptions{Name: "b", Root: "bookworm", Net: network},
			lab.HostOptions{Name: "c", Root: "trixie", Net: network},
		)
		start := func(h *lab.Host, arguments string) {
			result := h.Run(t, fmt.Sprintf("%s start %s --temp-dir=/tmp/r --node-ip-address=%s %s",
				lab.RayInRoot, arguments, h.Address, strings.Join(lab.SmallNode(), " ")))
			require.Zero(t, result.Code, result.Stderr)
			t.Logf("host %s: ray start %s took %s", h.Name, arguments, result.Took)
		}
		start(hosts[0], "--head --port=6379")
		start(hosts[1], "--address=a.lab:6379")
		start(hosts[2], "--head --port=6379")
		const list = `/opt/ray/bin/python3 -c '
from ray._raylet import GcsClient
nodes = GcsClient(address="a.lab:6379").get_all_node_info().values()
print(*sorted(n.node_manager_hostname for n in nodes if n.state == 0))'`
		require.Equal(t, "a b", hosts[2].Sh(t, list))
	})
	requireNothingLeft(t)
}

func TestLab_Cut(t *testing.T) {
	network := lab.NewNetwork(t)
	a := lab.Netns(t, network, "a", "")
	b := lab.Netns(t, network, "b", "10.77.0.77")
	require.Equal(t, "10.77.0.1", a.Address.String())
	requireAnswer(t, a, b)
	b.Cut(t, true)
	require.Contains(t, a.Run(t, ask("b")).Stderr, "Error: ")
	b.Cut(t, false)
	requireAnswer(t, a, b)
	require.NotZero(t, a.Run(t, "ip route get 192.0.2.1").Code, "there must be no way out")
}

func TestLab_Netns(t *testing.T) {
	t.Run("hosts", func(t *testing.T) {
		network := lab.NewNetwork(t)
		a := lab.Netns(t, network, "a", "")
		require.Equal(t, "a", a.Sh(t, "hostname"))
		require.Equal(t, "10.77.0.1", strings.Fields(a.Sh(t, "getent ahostsv4 a.lab"))[0])

		// An orphan is reaped, and one that nobody waits for ends with the host.
		a.Sh(t, "(sleep 0.01 &) ; setsid sleep 1000 >/dev/null 2>&1 &")
		lab.Until(t, 5*time.Second, "only the one that sleeps long is left", func() bool {
			var args []string
			for _, p := range a.Procs(t) {
				if p.Pid != 1 && p.Parent == 1 {
					args = append(args, strings.Join(p.Args, " "))
				}
			}
			return strings.Join(args, ",") == "sleep infinity,sleep 1000"
		})

		p := a.Start(t, "sh", "-c", "trap 'echo bye; exit 3' TERM; echo hi; sleep 1000 & wait")
		lab.Until(t, 5*time.Second, "the script runs", func() bool { return p.Output() == "hi\n" })
		p.Signal(t, 15)
		require.Equal(t, 3, p.Wait(t, 5*time.Second))
		require.Equal(t, "hi\nbye\n", p.Output())
	})
	requireNothingLeft(t)
}

// TestLab_DeadOwner boots a host in a process that kills itself: the next
// network cleans up after it.
func TestLab_DeadOwner(t *testing.T) {
	if os.Getenv("LAB_DIE") != "" {
		lab.Boot(t, lab.HostOptions{Name: "a", Root: "bookworm", Net: lab.NewNetwork(t)})
		self, err := os.FindProcess(os.Getpid())
		require.NoError(t, err)
		require.NoError(t, self.Kill())
		select {}
	}
	lab.Need(t, lab.Root("bookworm"))
	dead := exec.Command(os.Args[0], "-test.run=^TestLab_DeadOwner$")
	dead.Env = append(os.Environ(), "LAB_DIE=1")
	require.Error(t, dead.Run())

	name := fmt.Sprintf("raynoded-%d-", dead.Process.Pid)
	traces := func() []string {
		var found []string
		for _, folder := range []string{"/run/netns/", "/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
			paths, err := filepath.Glob(folder + name + "*")
			require.NoError(t, err)
			found = append(found, paths...)
		}
		mounts, err := os.ReadFile("/proc/self/mounts")
		require.NoError(t, err)
		if strings.Contains(string(mounts), name) {
			found = append(found, "a mount")
		}
		return found
	}
	require.NotEmpty(t, traces())
	lab.NewNetwork(t)
	require.Empty(t, traces())
}
