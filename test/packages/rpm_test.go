//go:build systemd

package packages

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// withoutRPM leaves out of a list what rpm and dnf keep for themselves.
func withoutRPM(files []string) []string {
	var kept []string
	for _, f := range files {
		if !strings.Contains(f, "/var/lib/rpm") && !strings.Contains(f, "/etc/dnf") {
			kept = append(kept, f)
		}
	}
	return kept
}

// TestHost_RPM is the life of the .rpm on booted hosts, by rpm itself; bookworm has the systemd of
// RHEL 9.
func TestHost_RPM(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			lab.Need(t, lab.Root(suite), lab.Program("rpm"))
			file, next := dist.RPM(t), dist.Newer(t, "*.rpm")
			h := host.BootBare(t, lab.HostOptions{Name: "a", Root: suite, Address: "10.77.0.1"})[0]
			r := dist.NewTools(t, h)
			empty := filesOf(t, h)
			require.Empty(t, r.RPM(t, "--install", "--nodeps", file)) // there is no other rpm on this host
			t.Run("install", func(t *testing.T) { rpmInstalled(t, r, empty) })
			rpmStarts(t, h)
			t.Run("upgrade", func(t *testing.T) { rpmUnderNodes(t, r, "9.0.0", "--upgrade", "--nodeps", next) })
			t.Run("the same again", func(t *testing.T) { rpmUnderNodes(t, r, "9.0.0", "--reinstall", "--nodeps", next) })
			t.Run("downgrade", func(t *testing.T) {
				rpmUnderNodes(t, r, dist.VersionOf(t, file), "--upgrade", "--oldpackage", "--nodeps", file)
			})
			t.Run("erase", func(t *testing.T) { rpmErased(t, r, empty) })
			t.Run("install again", func(t *testing.T) {
				require.Empty(t, r.RPM(t, "--install", "--nodeps", file))
				h.RequireState(t, host.Unit, host.State{"UnitFileState": "disabled", "ActiveState": "inactive"})
				h.Sh(t, "systemctl start "+instance)
				h.RequireState(t, instance, host.Up)
			})
		})
	}
}

// instance is the second node of a host.
const instance = "raynoded@a.service"

func rpmInstalled(t *testing.T, r *dist.Tools, empty []string) {
	h := r.Host
	require.Equal(t, packaged(inRPM), added(append(empty, shared), withoutRPM(filesOf(t, h))))
	require.Empty(t, r.RPM(t, "--verify", "--nodeps", "raynoded"))
	require.Regexp(
		t, `^raynoded:x:\d+:\d+:Ray node:/var/lib/raynoded:/usr/sbin/nologin$`, h.Sh(t, "getent passwd raynoded"),
	)
	h.RequireState(
		t, host.Unit,
		host.State{"LoadState": "loaded", "UnitFileState": "disabled", "ActiveState": "inactive", "ActiveEnterTimestamp": ""},
	)
}

// rpmStarts enables and starts a head, and a worker that waits for another one.
func rpmStarts(t *testing.T, h *host.Host) {
	t.Helper()
	h.Put(t, host.RolePath, host.LoneHead, "644")
	h.Put(t, "/etc/raynoded/a.toml", host.LoneWorker, "644")
	h.Put(t, "/etc/raynoded/a.toml.d/standing.toml", host.Standing+"cluster.head = \"10.77.0.9:6379\"\n", "644")
	h.Sh(t, "systemctl enable --quiet --now "+host.Unit+" "+instance)
}

// rpmUnderNodes changes the package under the two, which go on as if nothing had been.
func rpmUnderNodes(t *testing.T, r *dist.Tools, version string, args ...string) {
	h := r.Host
	node, worker := nodeOf(t, h), h.MainPID(t, instance)
	require.Empty(t, r.RPM(t, args...))
	for _, u := range []string{host.Unit, instance} {
		h.RequireState(t, u, host.Up.With("NRestarts", "0").With("NeedDaemonReload", "no").With("UnitFileState", "enabled"))
	}
	require.Equal(t, node, nodeOf(t, h))
	require.Equal(t, worker, h.MainPID(t, instance))
	require.Contains(t, h.Sh(t, "raynoded version"), "raynoded "+version+" (")
	require.Empty(t, r.RPM(t, "--verify", "--nodeps", "raynoded"))
}

func rpmErased(t *testing.T, r *dist.Tools, empty []string) {
	h := r.Host
	require.Empty(t, r.RPM(t, "--erase", "raynoded"))
	for _, u := range []string{host.Unit, instance} {
		h.RequireState(t, u, host.State{"LoadState": "not-found", "ActiveState": "inactive"})
		h.RequireNothingOf(t, u)
	}
	sessions := slices.DeleteFunc(
		withoutRPM(filesOf(t, h)),
		func(f string) bool { return strings.Contains(f, " /var/lib/raynoded/role/ray/") },
	)
	// Role files and state are the administrator's.
	require.Equal(t, `755 /etc/raynoded
644 /etc/raynoded/a.toml
755 /etc/raynoded/a.toml.d
644 /etc/raynoded/a.toml.d/standing.toml
644 /etc/raynoded/role.toml
755 /usr/share/licenses
755 /var/lib/raynoded
755 /var/lib/raynoded/a
644 /var/lib/raynoded/a/last-end.json
600 /var/lib/raynoded/a/lock
755 /var/lib/raynoded/a/ray
755 /var/lib/raynoded/role
644 /var/lib/raynoded/role/last-end.json
600 /var/lib/raynoded/role/lock
777 /var/lib/raynoded/role/ray
644 /var/lib/raynoded/role/ray-start.log`, added(empty, sessions))
}

// TestHost_DNF installs the .rpm into an image that is not booted, by dnf and without any
// repository.
func TestHost_DNF(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Root("trixie"), lab.Program("dnf"), lab.Program("rpmbuild"))
	file, next := dist.RPM(t), dist.Newer(t, "*.rpm")
	h := host.BootBare(t, lab.HostOptions{Name: "a", Root: "trixie"})[0]
	empty := filesOf(t, h)
	h.PowerOff(t)
	r := dist.NewTools(t, h)

	out, err := r.DNF(t, "install", file)
	require.Error(t, err)
	require.Contains(t, out, "nothing provides systemd >= 249 needed by raynoded")
	out, err = r.DNF(t, "install", r.Stand(t, "systemd"), file)
	require.NoError(t, err, out)
	require.NotContains(t, out, "scriptlet failed")

	h.PowerOn(t)
	require.Equal(t, packaged(inRPM), added(append(empty, shared), withoutRPM(filesOf(t, h))))
	h.RequireState(t, host.Unit, host.State{"LoadState": "loaded", "UnitFileState": "disabled", "ActiveState": "inactive"})
	require.Equal(t, "raynoded raynoded", h.Sh(t, "stat -c '%U %G' /var/lib/raynoded"))
	h.Put(t, host.RolePath, host.LoneWorker, "644")
	h.LayOver(t, "standing", host.Standing)
	h.Sh(t, "systemctl enable --quiet --now "+host.Unit)
	h.RequireState(t, host.Unit, host.Up)
	h.PowerOff(t)

	out, err = r.DNF(t, "upgrade", next)
	require.NoError(t, err, out)
	require.NotContains(t, out, "scriptlet failed")
	h.PowerOn(t)
	h.Await(t, host.Unit, host.Up.With("UnitFileState", "enabled"))
	h.AwaitLog(t, "raynoded 9.0.0 as worker from "+host.RolePath)
	h.PowerOff(t)

	out, err = r.DNF(t, "remove", "raynoded")
	require.NoError(t, err, out)
	require.NotContains(t, out, "scriptlet failed")
	h.PowerOn(t)
	h.RequireState(t, host.Unit, host.State{"LoadState": "not-found"})
	require.Empty(t, h.Sh(t, "find /etc/systemd /usr -xdev -name '*raynoded*'"))
}

// TestHost_RPMHeader is what rpm says of the file itself.
func TestHost_RPMHeader(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("rpm"))
	file, r := dist.RPM(t), dist.NewTools(t, nil)
	query := func(args ...string) string {
		out, err := r.Run(t, r.Home, append([]string{"rpm", "--query", "--package", file}, args...)...)
		require.NoError(t, err, out)
		return out
	}
	for tag, script := range map[string]string{"POSTIN": "post", "PREUN": "preun", "POSTUN": "postun"} {
		text, err := os.ReadFile(lab.File(t, "packaging/rpm/"+script))
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(string(text)), strings.TrimSpace(query("--queryformat=%{"+tag+"}")))
	}
	require.Equal(t, "(none) (none) (none)", query("--queryformat=%{PREIN} %{TRIGGERSCRIPTS} %{PRETRANS}"))
	require.Equal(t, "systemd >= 249\n", query("--requires"))
	require.Empty(t, query("--configfiles"))
	require.Equal(t, "Apache-2.0 "+dist.RPMArch(t), query("--queryformat=%{LICENSE} %{ARCH}"))
}
