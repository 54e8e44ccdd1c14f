//go:build systemd && matrix

package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// onlyHead is a standing cluster of one host.
const onlyHead = `role = "head"
cluster = { head = "a.lab:6379", nodes = 1 }
watchdog.on_head_loss = "rejoin"
ray = { num_cpus = 1, object_store_memory = "100MB", extra_args = ["--include-dashboard=false"] }
auth.mode = "none"
`

// TestAnsible_Ray has the role make Ray's venv, and replace it by another: minutes, so not in make test.
func TestAnsible_Ray(t *testing.T) {
	wheels := lab.Wheels(t)
	f := bootFleet(t, "a")
	h := f.hosts[0]
	// The Ray that the host has is the one to come.
	h.Sh(t, "mv /opt/ray /opt/ray-2.60.0")
	require.NoError(t, os.CopyFS(filepath.Join(h.Root, "srv/wheels"), os.DirFS(wheels)))
	f.vars["raynoded_role"] = onlyHead
	f.vars["raynoded_ray_pip_args"] = "--no-index --find-links /srv/wheels --no-compile"
	f.vars["raynoded_ray_version"] = "2.40.0"

	f.plays(t, "site.yml")
	h.Sh(t, "raynoded wait --timeout 90s a")
	require.Equal(t, "/opt/ray-2.40.0", h.Sh(t, "readlink /opt/ray"))
	require.Equal(t, "/opt/ray-2.40.0", h.rayOf(t))
	before := f.lives(t)

	t.Run("a second run changes nothing", func(t *testing.T) {
		f.plays(t, "site.yml").requireUnchanged(t)
		require.Equal(t, before, f.lives(t))
	})

	f.vars["raynoded_ray_version"] = "2.60.0"
	t.Run("another version waits while a node runs", func(t *testing.T) {
		p := f.plays(t, "site.yml")
		require.Contains(t, p.text("a", "Say that the link waits"), "Ray 2.60.0 waits in /opt/ray-2.60.0: a node runs")
		require.Equal(t, "/opt/ray-2.40.0", h.Sh(t, "readlink /opt/ray"))
		require.Equal(t, before, f.lives(t))
	})

	t.Run("ray.yml takes the cluster to it", func(t *testing.T) {
		f.plays(t, "ray.yml")
		require.Equal(t, "/opt/ray-2.60.0", h.Sh(t, "readlink /opt/ray"))
		require.NotEqual(t, before["a"].raylet, f.lives(t)["a"].raylet)
		require.Equal(t, "/opt/ray-2.60.0", h.rayOf(t))
	})
}

// rayOf is the folder of the Ray that runs.
func (h *installed) rayOf(t *testing.T) string {
	t.Helper()
	program := h.Sh(t, fmt.Sprintf("readlink /proc/%d/exe", h.one(t, unit, "raylet").Pid))
	folder, _, _ := strings.Cut(program, "/lib/")
	return folder
}
