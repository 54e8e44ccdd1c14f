//go:build systemd

package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// packagedRPM is what an installed .rpm has, with the mode of each file.
const packagedRPM = `755 /etc/raynoded
755 /usr/bin/raynoded
644 /usr/lib/systemd/system/raynoded.service
644 /usr/lib/systemd/system/raynoded@.service
755 /usr/lib/systemd/system/raynoded@role.service.d
644 /usr/lib/systemd/system/raynoded@role.service.d/raynoded.conf
644 /usr/lib/sysusers.d/raynoded.conf
644 /usr/lib/tmpfiles.d/raynoded.conf
644 /usr/share/bash-completion/completions/raynoded
755 /usr/share/fish/vendor_completions.d
644 /usr/share/fish/vendor_completions.d/raynoded.fish
755 /usr/share/licenses
755 /usr/share/licenses/raynoded
644 /usr/share/licenses/raynoded/LICENSE
644 /usr/share/man/man5/raynoded.toml.5.gz
644 /usr/share/man/man8/raynoded-check.8.gz
644 /usr/share/man/man8/raynoded-config.8.gz
644 /usr/share/man/man8/raynoded-env.8.gz
644 /usr/share/man/man8/raynoded-forget.8.gz
644 /usr/share/man/man8/raynoded-reload.8.gz
644 /usr/share/man/man8/raynoded-run.8.gz
644 /usr/share/man/man8/raynoded-version.8.gz
644 /usr/share/man/man8/raynoded-wait.8.gz
644 /usr/share/man/man8/raynoded.8.gz
755 /usr/share/raynoded
755 /usr/share/raynoded/examples
644 /usr/share/raynoded/examples/auto.toml
644 /usr/share/raynoded/examples/compat.conf
644 /usr/share/raynoded/examples/hardened-head.conf
644 /usr/share/raynoded/examples/head.toml
644 /usr/share/raynoded/examples/limits.conf
644 /usr/share/raynoded/examples/single.toml
644 /usr/share/raynoded/examples/token.conf
644 /usr/share/raynoded/examples/training.service
644 /usr/share/raynoded/examples/user.conf
644 /usr/share/raynoded/examples/worker.toml
755 /usr/share/raynoded/profiles
644 /usr/share/raynoded/profiles/efa.toml
644 /usr/share/raynoded/profiles/ethernet.toml
644 /usr/share/raynoded/profiles/infiniband.toml
644 /usr/share/raynoded/profiles/large.toml
644 /usr/share/raynoded/profiles/open-instruct.toml
644 /usr/share/raynoded/profiles/roce.toml
644 /usr/share/raynoded/profiles/single-node.toml
644 /usr/share/raynoded/role.schema.json
755 /usr/share/zsh/site-functions
644 /usr/share/zsh/site-functions/_raynoded
755 /var/lib/raynoded`

// rpmPackage returns the .rpm that belongs to the newest .deb.
func rpmPackage(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(lab.Package(t)), "raynoded-*."+rpmArch(t)+".rpm"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func rpmArch(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("uname", "-m").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// rpms is the machine's rpm and dnf at work on a host, which has none.
type rpms struct {
	host *installed
	home string // and all that the two would write on the machine
}

func newRPMs(t *testing.T, h *installed) *rpms {
	t.Helper()
	return &rpms{host: h, home: t.TempDir()}
}

// run runs one of them with its database at a path below the root that it works on.
func (r *rpms) run(t *testing.T, database string, argv ...string) (string, error) {
	t.Helper()
	require.NoError(
		t,
		os.WriteFile(filepath.Join(r.home, ".rpmmacros"), []byte("%_dbpath "+database+"\n%_topdir "+r.home+"\n"), 0o600),
	)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+r.home, "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// rpm works on the running host: its scripts are among the host's processes, and see the host's
// /run. What leads there is a link of /proc, which SQLite reads as /, the machine's: so the
// database is at a path that is the test's own there.
func (r *rpms) rpm(t *testing.T, args ...string) string {
	t.Helper()
	database := filepath.Join(r.home, "db")
	require.NoError(t, os.MkdirAll(database, 0o755)) //nolint:gosec // for nobody but us
	inside := fmt.Sprint(r.host.Start(t, "sleep", "infinity").Pid)
	out, err := r.run(
		t,
		database,
		append([]string{"nsenter", "--target=" + inside, "--pid", "--net", "--ipc", "--uts", "--cgroup", "--",
			"rpm", "--root=/proc/" + inside + "/root"}, args...)...)
	require.NoError(t, err, "rpm %q: %s", args, out)
	// Debian's rpm warns of itself.
	return strings.TrimPrefix(out, "rpm: RPM should not be used directly install RPM packages, use Alien instead!\n"+
		"rpm: However assuming you know what you are doing...\n")
}

// dnf works on the root of the host that is off, as who builds an image.
func (r *rpms) dnf(t *testing.T, args ...string) (string, error) {
	t.Helper()
	require.False(t, r.host.On())
	return r.run(t, "/var/lib/rpm", append([]string{"dnf", "--installroot=" + r.host.Root, "--releasever=9", "--assumeyes",
		"--setopt=reposdir=/nonexistent", "--setopt=pluginpath=/nonexistent",
		"--setopt=cachedir=" + r.home, "--setopt=logdir=" + r.home, "--setopt=persistdir=" + r.home}, args...)...)
}

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
			file, next := rpmPackage(t), newerPackage(t, "*.rpm")
			h := &installed{lab.Boot(t, lab.HostOptions{Name: "a", Root: suite, Net: lab.NewNetwork(t), Address: "10.77.0.1"})}
			h.remember(t)
			r := newRPMs(t, h)
			empty := h.files(t)
			require.Empty(t, r.rpm(t, "--install", "--nodeps", file)) // there is no other rpm on this host
			t.Run("install", func(t *testing.T) { rpmInstalled(t, r, empty) })
			rpmStarts(t, h)
			t.Run("upgrade", func(t *testing.T) { rpmUnderNodes(t, r, "9.0.0", "--upgrade", "--nodeps", next) })
			t.Run("the same again", func(t *testing.T) { rpmUnderNodes(t, r, "9.0.0", "--reinstall", "--nodeps", next) })
			t.Run("downgrade", func(t *testing.T) {
				rpmUnderNodes(t, r, versionOf(t, file), "--upgrade", "--oldpackage", "--nodeps", file)
			})
			t.Run("erase", func(t *testing.T) { rpmErased(t, r, empty) })
			t.Run("install again", func(t *testing.T) {
				require.Empty(t, r.rpm(t, "--install", "--nodeps", file))
				h.requireIs(t, unit, is{"UnitFileState": "disabled", "ActiveState": "inactive"})
				h.Sh(t, "systemctl start "+instance)
				h.requireIs(t, instance, up)
			})
		})
	}
}

// instance is the second node of a host.
const instance = "raynoded@a.service"

func rpmInstalled(t *testing.T, r *rpms, empty []string) {
	h := r.host
	require.Equal(t, packagedRPM, added(append(empty, shared), withoutRPM(h.files(t))))
	require.Empty(t, r.rpm(t, "--verify", "--nodeps", "raynoded"))
	require.Regexp(
		t, `^raynoded:x:\d+:\d+:Ray node:/var/lib/raynoded:/usr/sbin/nologin$`, h.Sh(t, "getent passwd raynoded"),
	)
	h.requireIs(
		t, unit,
		is{"LoadState": "loaded", "UnitFileState": "disabled", "ActiveState": "inactive", "ActiveEnterTimestamp": ""},
	)
}

// rpmStarts enables and starts a head, and a worker that waits for another one.
func rpmStarts(t *testing.T, h *installed) {
	t.Helper()
	h.Put(t, rolePath, loneHead, "644")
	h.Put(t, "/etc/raynoded/a.toml", loneWorker, "644")
	h.Put(t, "/etc/raynoded/a.toml.d/standing.toml", standing+"cluster.head = \"10.77.0.9:6379\"\n", "644")
	h.Sh(t, "systemctl enable --quiet --now "+unit+" "+instance)
}

// rpmUnderNodes changes the package under the two, which go on as if nothing had been.
func rpmUnderNodes(t *testing.T, r *rpms, version string, args ...string) {
	h := r.host
	node, worker := h.node(t), h.mainPID(t, instance)
	require.Empty(t, r.rpm(t, args...))
	for _, u := range []string{unit, instance} {
		h.requireIs(t, u, up.with("NRestarts", "0").with("NeedDaemonReload", "no").with("UnitFileState", "enabled"))
	}
	require.Equal(t, node, h.node(t))
	require.Equal(t, worker, h.mainPID(t, instance))
	require.Contains(t, h.Sh(t, "raynoded version"), "raynoded "+version+" (")
	require.Empty(t, r.rpm(t, "--verify", "--nodeps", "raynoded"))
}

func rpmErased(t *testing.T, r *rpms, empty []string) {
	h := r.host
	require.Empty(t, r.rpm(t, "--erase", "raynoded"))
	for _, u := range []string{unit, instance} {
		h.requireIs(t, u, is{"LoadState": "not-found", "ActiveState": "inactive"})
		h.requireNothingOf(t, u)
	}
	sessions := slices.DeleteFunc(
		withoutRPM(h.files(t)),
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

// versionOf is the version of a package's file, raynoded-VERSION-RELEASE.ARCH.rpm.
func versionOf(t *testing.T, file string) string {
	t.Helper()
	parts := strings.Split(filepath.Base(file), "-")
	require.Len(t, parts, 3)
	return parts[1]
}

// TestHost_DNF installs the .rpm into an image that is not booted, by dnf and without any
// repository.
func TestHost_DNF(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Root("trixie"), lab.Program("dnf"), lab.Program("rpmbuild"))
	file, next := rpmPackage(t), newerPackage(t, "*.rpm")
	h := &installed{lab.Boot(t, lab.HostOptions{Name: "a", Root: "trixie", Net: lab.NewNetwork(t)})}
	empty := h.files(t)
	h.PowerOff(t)
	r := newRPMs(t, h)

	out, err := r.dnf(t, "install", file)
	require.Error(t, err)
	require.Contains(t, out, "nothing provides systemd >= 249 needed by raynoded")
	out, err = r.dnf(t, "install", r.stand(t, "systemd"), file)
	require.NoError(t, err, out)
	require.NotContains(t, out, "scriptlet failed")

	h.PowerOn(t)
	require.Equal(t, packagedRPM, added(append(empty, shared), withoutRPM(h.files(t))))
	h.requireIs(t, unit, is{"LoadState": "loaded", "UnitFileState": "disabled", "ActiveState": "inactive"})
	require.Equal(t, "raynoded raynoded", h.Sh(t, "stat -c '%U %G' /var/lib/raynoded"))
	h.Put(t, rolePath, loneWorker, "644")
	h.layOver(t, "standing", standing)
	h.Sh(t, "systemctl enable --quiet --now "+unit)
	h.requireIs(t, unit, up)
	h.PowerOff(t)

	out, err = r.dnf(t, "upgrade", next)
	require.NoError(t, err, out)
	require.NotContains(t, out, "scriptlet failed")
	h.PowerOn(t)
	h.await(t, unit, up.with("UnitFileState", "enabled"))
	h.logs(t, "raynoded 9.0.0 as worker from "+rolePath)
	h.PowerOff(t)

	out, err = r.dnf(t, "remove", "raynoded")
	require.NoError(t, err, out)
	require.NotContains(t, out, "scriptlet failed")
	h.PowerOn(t)
	h.requireIs(t, unit, is{"LoadState": "not-found"})
	require.Empty(t, h.Sh(t, "find /etc/systemd /usr -xdev -name '*raynoded*'"))
}

// stand makes an .rpm that stands for a package of the distribution: it has its name and nothing in
// it.
func (r *rpms) stand(t *testing.T, name string) string {
	t.Helper()
	spec := filepath.Join(r.home, name+".spec")
	require.NoError(
		t,
		os.WriteFile(
			spec,
			[]byte("Name: "+name+"\nVersion: 252\nRelease: 1\nSummary: "+name+"\nLicense: none\nBuildArch: noarch\n"+
				"%description\nNothing.\n%files\n"),
			0o600,
		),
	)
	out, err := r.run(t, r.home, "rpmbuild", "-bb", "--quiet", spec)
	require.NoError(t, err, out)
	return filepath.Join(r.home, "RPMS/noarch", name+"-252-1.noarch.rpm")
}

// TestHost_RPMHeader is what rpm says of the file itself.
func TestHost_RPMHeader(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("rpm"))
	file, r := rpmPackage(t), newRPMs(t, nil)
	query := func(args ...string) string {
		out, err := r.run(t, r.home, append([]string{"rpm", "--query", "--package", file}, args...)...)
		require.NoError(t, err, out)
		return out
	}
	for tag, script := range map[string]string{"POSTIN": "post", "PREUN": "preun", "POSTUN": "postun"} {
		text, err := os.ReadFile("../packaging/rpm/" + script)
		require.NoError(t, err)
		require.Equal(t, strings.TrimSpace(string(text)), strings.TrimSpace(query("--queryformat=%{"+tag+"}")))
	}
	require.Equal(t, "(none) (none) (none)", query("--queryformat=%{PREIN} %{TRIGGERSCRIPTS} %{PRETRANS}"))
	require.Equal(t, "systemd >= 249\n", query("--requires"))
	require.Empty(t, query("--configfiles"))
	require.Equal(t, "Apache-2.0 "+rpmArch(t), query("--queryformat=%{LICENSE} %{ARCH}"))
}
