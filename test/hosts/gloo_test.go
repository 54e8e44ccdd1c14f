//go:build systemd && matrix

package hosts

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestHost_Gloo is PyTorch on two hosts whose interfaces have different names, in a job that sends
// its environment to its actors. A host's own name is no way to it, as on Debian.
func TestHost_Gloo(t *testing.T) {
	p := host.BootPair(t, "torch")
	for h, netdev := range map[*host.Host]string{p.Head: "fabric0", p.Worker: "rail7"} {
		h.Sh(t, "ip link set "+lab.Interface+" down && ip link set "+lab.Interface+" name "+netdev+
			" && ip link set "+netdev+" up && sed -i 's/ "+h.Name+"$//' /etc/hosts && echo 127.0.1.1 "+h.Name+" >>/etc/hosts")
	}
	p.Head.Copy(t, lab.File(t, "test/programs/gloo.py"), "/srv/gloo.py", "644")
	p.Head.LayOver(t, "job", `job.command = ["/opt/ray/bin/python3", "-u", "/srv/gloo.py"]`+"\n")
	run := func(t *testing.T, end host.State) string {
		t.Helper()
		p.Worker.Sh(t, "systemctl start --no-block "+host.Unit)
		p.Head.Sh(t, "systemctl start "+host.Unit)
		p.Head.Await(t, host.Unit, end)
		p.Worker.Await(t, host.Unit, host.Down)
		return p.Head.Journal(t, "--output=cat", "--identifier=job")
	}
	t.Run("derived", func(t *testing.T) {
		_, line, is := strings.Cut(run(t, host.Down), "found ")
		require.True(t, is)
		require.JSONEq(t, `{"sums": [6, 6, 6],
			"job": {"GLOO_SOCKET_IFNAME": null, "TP_SOCKET_IFNAME": null, "NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME": null},
			"a": {"GLOO_SOCKET_IFNAME": "fabric0", "TP_SOCKET_IFNAME": "fabric0",
				"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME": "=fabric0"},
			"b": {"GLOO_SOCKET_IFNAME": "rail7", "TP_SOCKET_IFNAME": "rail7",
				"NVSHMEM_BOOTSTRAP_UID_SOCK_IFNAME": "=rail7"}}`, line)
	})
	t.Run("said for the head, and so for the job", func(t *testing.T) {
		p.Head.LayOver(t, "env", `env.GLOO_SOCKET_IFNAME = "fabric0"`+"\n")
		said := run(t, host.State{"ActiveState": "failed", "ExecMainStatus": "1"})
		require.Contains(t, said, "Unable to find address for: fabric0")
	})
}
