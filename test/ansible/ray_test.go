//go:build systemd && matrix

package ansible

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// onlyHead is a standing cluster of one host, which outlives its head.
const onlyHead = `role = "head"
cluster = { head = "a.lab:6379", nodes = 1, persistent_head = true }
watchdog.on_head_loss = "rejoin"
ray = { num_cpus = 1, object_store_memory = "100MB", extra_args = ["--include-dashboard=false"] }
auth.mode = "none"
`

// TestAnsible_Ray has the role make Ray's venv, restart the head, and replace Ray by another:
// minutes, so not in make test.
func TestAnsible_Ray(t *testing.T) {
	wheels := lab.Wheels(t)
	f := bootFleet(t, "bookworm", "a")
	h := f.hosts[0]
	// The Ray that the host has is the one to come.
	h.Sh(t, "mv /opt/ray /opt/ray-2.60.0")
	require.NoError(t, os.CopyFS(filepath.Join(h.Root, "srv/wheels"), os.DirFS(wheels)))
	f.vars["raynoded_role"] = onlyHead
	f.vars["raynoded_ray_pip_args"] = "--no-index --find-links /srv/wheels --no-compile"
	f.vars["raynoded_ray_version"] = "2.58.1"

	f.plays(t, "ray.yml", "--check")
	require.Equal(t, "/opt/ray-2.60.0", h.Sh(t, "ls -d /opt/ray* /usr/bin/raynoded 2>/dev/null || true"))
	f.plays(t, "site.yml")
	h.Sh(t, "raynoded wait --timeout 90s a")
	require.Equal(t, "/opt/ray-2.58.1", h.Sh(t, "readlink /opt/ray"))
	require.Equal(t, "/opt/ray-2.58.1", rayOf(t, h))
	before, cluster := f.lives(t), clusterIDOf(t, h)

	t.Run("a second run changes nothing", func(t *testing.T) {
		f.plays(t, "site.yml").requireUnchanged(t)
		f.plays(t, "site.yml", "--check").requireUnchanged(t)
		require.Equal(t, before, f.lives(t))
	})

	f.vars["raynoded_role"] = strings.Replace(onlyHead, "num_cpus = 1", "num_cpus = 2", 1)
	t.Run("a head restarts if that is said", func(t *testing.T) {
		p := f.plays(t, "upgrade.yml")
		require.Contains(t, p.text("a", "Leave the head alone"), "This head runs on as it is")
		require.Equal(t, before, f.lives(t))

		f.plays(t, "upgrade.yml", "--extra-vars=raynoded_restart_head=true")
		after := f.lives(t)
		require.NotEqual(t, before["a"].invocation, after["a"].invocation)
		require.Equal(t, cluster, clusterIDOf(t, h), "it has kept its state")

		f.plays(t, "upgrade.yml", "--extra-vars=raynoded_restart_head=true").requireUnchanged(t)
		require.Equal(t, after, f.lives(t))
		before = after
	})

	f.vars["raynoded_ray_version"] = "2.60.0"
	t.Run("another version waits while a node runs", func(t *testing.T) {
		p := f.plays(t, "site.yml")
		require.Contains(t, p.text("a", "Say that the link waits"), "Ray 2.60.0 waits in /opt/ray-2.60.0: a node runs")
		require.Equal(t, "/opt/ray-2.58.1", h.Sh(t, "readlink /opt/ray"))
		require.Equal(t, before, f.lives(t))
	})

	t.Run("ray.yml takes the cluster to it", func(t *testing.T) {
		p := f.plays(t, "ray.yml")
		require.Contains(t, p.changed("a"), "Forget the state of a persistent head")
		require.Equal(t, "/opt/ray-2.60.0", h.Sh(t, "readlink /opt/ray"))
		require.NotEqual(t, before["a"].raylet, f.lives(t)["a"].raylet)
		require.Equal(t, "/opt/ray-2.60.0", rayOf(t, h))
		require.NotEqual(t, cluster, clusterIDOf(t, h), "it has forgotten its state")
	})
}

// twoHosts is a standing cluster of two.
const twoHosts = `role = "auto"
cluster = { head = "a.lab:6379", nodes = 2 }
watchdog.on_head_loss = "rejoin"
ray = { num_cpus = 1, object_store_memory = "100MB" }
auth.mode = "none"
`

// waitsForNobody is a node of another cluster, whose head is never there.
const waitsForNobody = `role = "worker"
cluster.head = "a.lab:7000"
auth.mode = "none"
`

// TestAnsible_RayUnprepared has ray.yml find that it cannot do all of its work: it stops nothing
// then.
func TestAnsible_RayUnprepared(t *testing.T) {
	wheels := lab.Wheels(t)
	f := bootFleet(t, "bookworm", "a", "b")
	for _, h := range f.hosts {
		h.Sh(t, "mv /opt/ray /opt/ray-2.60.0 && ln -s /opt/ray-2.60.0 /opt/ray")
	}
	f.vars["raynoded_role"] = twoHosts
	f.plays(t, "site.yml")
	f.hosts[0].Sh(t, "raynoded wait --timeout 90s a b")
	before := f.lives(t)

	t.Run("no version", func(t *testing.T) {
		p := f.play(t, "ray.yml")
		require.Equal(t, 2, p.code)
		require.Contains(t, p.text("a", "Insist on a version"), "raynoded_ray_version is empty here")
		require.Equal(t, before, f.lives(t))
	})
	t.Run("no venv on one host", func(t *testing.T) {
		require.NoError(t, os.CopyFS(filepath.Join(f.hosts[1].Root, "srv/wheels"), os.DirFS(wheels)))
		f.vars["raynoded_ray_pip_args"] = "--no-index --find-links /srv/wheels --no-compile"
		f.vars["raynoded_ray_version"] = "2.58.1"
		p := f.play(t, "ray.yml")
		require.Equal(t, 2, p.code)
		require.Contains(t, p.text("b", "Insist on all hosts"), "Not prepared: a.")
		require.Equal(t, before, f.lives(t))
		require.Equal(t, "/opt/ray-2.60.0", f.hosts[1].Sh(t, "readlink /opt/ray"))
	})
	t.Run("a further instance on one host", func(t *testing.T) {
		require.NoError(t, os.CopyFS(filepath.Join(f.hosts[0].Root, "srv/wheels"), os.DirFS(wheels)))
		f.hosts[1].Put(t, "/etc/raynoded/x.toml", waitsForNobody, "644")
		f.hosts[1].Sh(t, "systemctl start --no-block raynoded@x")
		f.hosts[1].Await(t, "raynoded@x.service", host.Waiting)
		p := f.play(t, "ray.yml")
		require.Equal(t, 2, p.code)
		require.Equal(t, "/opt/ray cannot be switched while further instances run here. Stop them: raynoded@x.service",
			p.text("b", "Insist on no further instance"))
		require.Contains(t, p.text("a", "Insist on all hosts"), "Not prepared: b.")
		require.Equal(t, before, f.lives(t))
		for _, h := range f.hosts {
			require.Equal(t, "/opt/ray-2.60.0", h.Sh(t, "readlink /opt/ray"))
		}
	})
}

// clusterIDOf is what the head's GCS calls its cluster.
func clusterIDOf(t *testing.T, h *host.Host) string {
	t.Helper()
	return h.Sh(
		t,
		`/opt/ray/bin/python3 -c 'from ray._raylet import GcsClient; `+
			`print(GcsClient(address="a.lab:6379").cluster_id.hex())'`,
	)
}

// rayOf is the folder of the Ray that runs.
func rayOf(t *testing.T, h *host.Host) string {
	t.Helper()
	program := h.Sh(t, fmt.Sprintf("readlink /proc/%d/exe", h.ProcIn(t, host.Unit, "raylet").Pid))
	folder, _, _ := strings.Cut(program, "/lib/")
	return folder
}
