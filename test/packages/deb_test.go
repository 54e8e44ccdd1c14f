//go:build systemd

package packages

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// What an installed package has, with the mode of each file: what both have, and what only the .deb
// and only the .rpm has. The two differ in where a distribution has documents, licences and what
// zsh completes, and in what Debian's own programs read: needrestart and lintian.
const (
	inBoth = `755 /etc/raynoded
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
755 /var/lib/raynoded`
	inDeb = `755 /etc/needrestart
755 /etc/needrestart/conf.d
644 /etc/needrestart/conf.d/raynoded.conf
755 /usr/share/doc/raynoded
644 /usr/share/doc/raynoded/changelog.Debian.gz
644 /usr/share/doc/raynoded/copyright
644 /usr/share/lintian/overrides/raynoded
644 /usr/share/zsh/vendor-completions/_raynoded`
	inRPM = `755 /usr/share/licenses
755 /usr/share/licenses/raynoded
644 /usr/share/licenses/raynoded/LICENSE
755 /usr/share/zsh/site-functions
644 /usr/share/zsh/site-functions/_raynoded`
)

// packaged is all that a package has, sorted as filesOf sorts it.
func packaged(own string) string {
	all := append(strings.Split(inBoth, "\n"), strings.Split(own, "\n")...)
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(pathOf(a), pathOf(b)) })
	return strings.Join(all, "\n")
}

// pathOf is the path in a line of files.
func pathOf(line string) string {
	_, path, _ := strings.Cut(line, " ")
	return path
}

// needrestart is the only configuration file.
const needrestart = "/etc/needrestart/conf.d/raynoded.conf"

// shared is a folder that trixie has already, and bookworm has not.
const shared = "755 /usr/share/fish"

// filesOf lists a host's files with their modes, but for those that change by themselves and for
// dpkg's own.
func filesOf(t *testing.T, h *host.Host) []string {
	t.Helper()
	return strings.Split(
		h.Sh(t, `find / -xdev \( -path /opt/ray -o -path /var/lib/dpkg -o -path /var/log -o -path /var/cache -o -path /tmp \
		-o -path /proc -o -path /sys -o -path /run -o -path /dev -o -path '/etc/*-' -o -path /etc/.pwd.lock -o -path /root \
		-o -path /usr/lib/python3 -o -path /var/lib/systemd -o -path /var/tmp \) -prune -o -printf '%m %p\n' | sort -k 2`),
		"\n",
	)
}

// added are those of after that are not in before.
func added(before, after []string) string {
	known := map[string]bool{}
	for _, f := range before {
		known[f] = true
	}
	var more []string
	for _, f := range after {
		if !known[f] {
			more = append(more, f)
		}
	}
	return strings.Join(more, "\n")
}

// TestHost_Package is the life of the .deb on a host that is not in a cluster.
func TestHost_Package(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			lab.Need(t, lab.Root(suite))
			deb, next := lab.Package(t), dist.Newer(t, "*.deb")
			h := host.BootBare(t, lab.HostOptions{Name: "a", Root: suite})[0]
			empty := filesOf(t, h)
			h.Install(t, deb)
			t.Run("install", func(t *testing.T) { packageInstalled(t, h, empty) })
			t.Run("no role", func(t *testing.T) { packageHasNoRole(t, h) })
			t.Run("upgrade", func(t *testing.T) { packageUpgraded(t, h, next) })
			t.Run("the same again", func(t *testing.T) { packageSameAgain(t, h, next) })
			t.Run("downgrade", func(t *testing.T) { packageDowngraded(t, h, deb) })
			t.Run("remove", func(t *testing.T) { packageRemoved(t, h) })
			t.Run("reinstall", func(t *testing.T) { packageReinstalled(t, h, deb) })
			t.Run("purge", func(t *testing.T) { packagePurged(t, h, empty) })
		})
	}
}

func packageInstalled(t *testing.T, h *host.Host, empty []string) {
	require.Equal(t, packaged(inDeb), added(append(empty, shared), filesOf(t, h)))
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
	require.Empty(t, h.Sh(t, "ls -A /etc/raynoded"))
	require.Regexp(
		t, `^raynoded:x:\d+:\d+:Ray node:/var/lib/raynoded:/usr/sbin/nologin$`, h.Sh(t, "getent passwd raynoded"),
	)
	require.Equal(t, "raynoded raynoded", h.Sh(t, "stat -c '%U %G' /var/lib/raynoded"))
	require.Contains(t, h.Run(t, "ldd /usr/bin/raynoded").Stderr, "not a dynamic executable")

	h.RequireState(
		t, host.Unit,
		host.State{"LoadState": "loaded", "UnitFileState": "disabled", "ActiveState": "inactive", "ActiveEnterTimestamp": ""},
	)
	require.Equal(t, "disabled", h.Run(t, "systemctl is-enabled raynoded@.service | head -n 1").Stdout[:8])
	verified := h.Run(t, "systemd-analyze verify --man=no raynoded.service raynoded@x.service")
	require.Empty(t, verified.Stdout+verified.Stderr)

	require.Equal(t, "0", h.Sh(t, `perl -we 'our %nrconf; my $f = "/etc/needrestart/conf.d/raynoded.conf";
		eval do { local (@ARGV, $/) = $f; <> }; die $@ if $@;
		for my $unit ("raynoded.service", "raynoded\@x.service") {
			my @rc = map { $nrconf{override_rc}{$_} } grep { $unit =~ /$_/ } keys %{$nrconf{override_rc}};
			die "$unit: @rc" if "@rc" ne "0";
		}
		print 0'`), "what needrestart evaluates")
}

func packageHasNoRole(t *testing.T, h *host.Host) {
	for u, path := range map[string]string{host.Unit: host.RolePath, "raynoded@a.service": "/etc/raynoded/a.toml"} {
		got := h.Run(t, "systemctl start "+u)
		require.Equal(t, 1, got.Code)
		require.Contains(t, got.Stderr, "Assertion failed on job for "+u+".")
		h.RequireState(t, u, host.State{"ActiveState": "inactive", "AssertResult": "no", "NRestarts": "0"})
		require.Contains(t, h.Sh(t, "systemctl status --no-pager "+u+" || true"), "AssertPathExists="+path+" was not met")
	}
	got := h.Run(t, "raynoded check")
	require.Equal(t, 78, got.Code)
	require.Equal(t, "raynoded: cannot load "+host.RolePath+": there is no role file\n", got.Stderr)
	for _, example := range []string{"head", "worker", "auto", "single"} {
		h.Sh(t, "raynoded check /usr/share/raynoded/examples/"+example+".toml")
	}
}

// packageUpgraded upgrades under two running nodes, one of them enabled.
func packageUpgraded(t *testing.T, h *host.Host, next string) {
	h.Put(t, host.RolePath, host.LoneWorker, "644")
	h.Put(t, "/etc/raynoded/a.toml", host.LoneWorker, "644")
	h.LayOver(t, "standing", host.Standing)
	h.Put(t, "/etc/raynoded/a.toml.d/standing.toml", host.Standing, "644")
	h.Sh(t, "systemctl enable --quiet --now "+host.Unit+" && systemctl start raynoded@a")
	version := h.Sh(t, "raynoded version")
	var before []string
	for _, u := range []string{host.Unit, "raynoded@a.service"} {
		h.RequireState(t, u, host.Up)
		before = append(before, h.MainPID(t, u))
	}
	h.Install(t, next)
	for i, u := range []string{host.Unit, "raynoded@a.service"} {
		h.RequireState(t, u, host.Up.With("MainPID", before[i]).With("NRestarts", "0").With("NeedDaemonReload", "no"))
	}
	h.RequireState(t, host.Unit, host.State{"UnitFileState": "enabled"})
	require.NotEqual(t, version, h.Sh(t, "raynoded version"))
	require.Contains(t, h.Sh(t, "raynoded version"), "9.0.0")
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
	require.Contains(t, h.Get(t, needrestart), dist.NewerConf)

	h.Sh(t, "systemctl restart "+host.Unit)
	h.AwaitLog(t, "raynoded 9.0.0 as worker from "+host.RolePath)
}

// packageSameAgain installs the version that is there, under the two nodes.
func packageSameAgain(t *testing.T, h *host.Host, next string) {
	units, files := []string{host.Unit, "raynoded@a.service"}, filesOf(t, h)
	var before []string
	for _, u := range units {
		before = append(before, h.MainPID(t, u))
	}
	h.Install(t, next)
	for i, u := range units {
		h.RequireState(t, u, host.Up.With("MainPID", before[i]).With("NRestarts", "0").With("NeedDaemonReload", "no"))
	}
	h.RequireState(t, host.Unit, host.State{"UnitFileState": "enabled"})
	require.Equal(t, files, filesOf(t, h))
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
}

func packageDowngraded(t *testing.T, h *host.Host, deb string) {
	before := h.MainPID(t, host.Unit)
	h.Install(t, deb)
	h.RequireState(t, host.Unit, host.Up.With("MainPID", before).With("NeedDaemonReload", "no"))
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
	require.NotContains(t, h.Get(t, needrestart), dist.NewerConf)
}

func packageRemoved(t *testing.T, h *host.Host) {
	h.Sh(t, "dpkg --remove raynoded")
	for _, u := range []string{host.Unit, "raynoded@a.service"} {
		h.RequireState(t, u, host.State{"LoadState": "not-found", "ActiveState": "inactive"})
		h.RequireNothingOf(t, u)
		h.AwaitLog(t, "ended: asked to stop: terminated\n")
	}
	require.Empty(t, h.Sh(t, "find /etc/systemd /run/systemd -name 'raynoded*.service'"))
	require.Equal(t, host.LoneWorker, h.Get(t, host.RolePath))
	require.Contains(t, h.Sh(t, "ls /var/lib/raynoded"), "role")
	require.Empty(
		t,
		h.Sh(t, "ls /usr/bin/raynoded /usr/lib/systemd/system/raynoded* /usr/share/raynoded 2>/dev/null || true"),
	)
}

func packageReinstalled(t *testing.T, h *host.Host, deb string) {
	h.Install(t, deb)
	h.RequireState(t, host.Unit, host.State{"UnitFileState": "disabled", "ActiveState": "inactive"})
	require.Equal(t, host.LoneWorker, h.Get(t, host.RolePath))
	h.Sh(t, "systemctl start "+host.Unit)
	h.RequireState(t, host.Unit, host.Up)
}

func packagePurged(t *testing.T, h *host.Host, empty []string) {
	h.Sh(t, "dpkg --purge raynoded")
	h.RequireState(t, host.Unit, host.State{"LoadState": "not-found", "ActiveState": "inactive"})
	h.RequireNothingOf(t, host.Unit)
	require.Empty(t, added(empty, filesOf(t, h)))
	require.Equal(t, 1, h.Run(t, "dpkg -s raynoded").Code, "dpkg has forgotten it")
	h.Sh(t, "getent passwd raynoded") // stays: its number must not go to somebody else
}

// nodeOf are raynoded and its raylet, by their numbers.
func nodeOf(t *testing.T, h *host.Host) string {
	t.Helper()
	return fmt.Sprintf("raynoded %s, raylet %d", h.MainPID(t, host.Unit), h.ProcIn(t, host.Unit, "raylet").Pid)
}

// TestHost_Upgrade upgrades both hosts while a job runs over them.
func TestHost_Upgrade(t *testing.T) {
	lab.Need(t, lab.Root("bookworm"))
	next := dist.Newer(t, "*.deb")
	p := host.BootPair(t, "bookworm")
	p.Head.Put(t, "/srv/job.py", `
import os, time
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

@ray.remote(num_cpus=1)
class Worker:
    def step(self):
        return os.uname().nodename

ray.init(log_to_driver=False)
node = next(n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeName"] == "b")
worker = Worker.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote()
print("first step on", ray.get(worker.step.remote()), flush=True)
while not os.path.exists("/srv/last"):
    ray.get(worker.step.remote())
    time.sleep(0.05)
print("last step on", ray.get(worker.step.remote()), flush=True)
`, "644")
	p.Head.LayOver(t, "job", "job.command = [\"/opt/ray/bin/python3\", \"/srv/job.py\"]\n")
	p.StartBoth(t)
	p.Head.AwaitLog(t, "first step on b\n", "--identifier=job")

	hosts := []*host.Host{p.Head, p.Worker}
	before := map[*host.Host]string{}
	for _, h := range hosts {
		before[h] = nodeOf(t, h)
		h.Install(t, next)
	}
	for _, h := range hosts {
		h.RequireState(t, host.Unit, host.Up.With("NRestarts", "0").With("NeedDaemonReload", "no"))
		require.Equal(t, before[h], nodeOf(t, h))
	}
	p.Head.Put(t, "/srv/last", "", "644")
	for _, h := range hosts {
		h.Await(t, host.Unit, host.Down)
		h.RequireNothingOf(t, host.Unit)
	}
	p.Head.AwaitLog(t, "last step on b\n", "--identifier=job")

	t.Run("remove under a running cluster", func(t *testing.T) {
		p.Head.Sh(t, "rm "+host.RolePath+".d/job.toml")
		p.StartBoth(t)
		p.Worker.AwaitLog(t, "raynoded 9.0.0 as worker from "+host.RolePath)
		for _, h := range []*host.Host{p.Worker, p.Head} {
			h.Sh(t, "dpkg --remove raynoded")
			h.RequireNothingOf(t, host.Unit)
			h.RequireState(t, host.Unit, host.State{"LoadState": "not-found", "ActiveState": "inactive"})
		}
	})
}
