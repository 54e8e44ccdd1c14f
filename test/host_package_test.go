//go:build systemd

package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// packaged is what an installed package has, with the mode of each file.
const packaged = `755 /etc/needrestart
755 /etc/needrestart/conf.d
644 /etc/needrestart/conf.d/raynoded.conf
755 /etc/raynoded
755 /usr/bin/raynoded
644 /usr/lib/systemd/system/raynoded.service
644 /usr/lib/systemd/system/raynoded@.service
755 /usr/lib/systemd/system/raynoded@role.service.d
644 /usr/lib/systemd/system/raynoded@role.service.d/raynoded.conf
644 /usr/lib/sysusers.d/raynoded.conf
644 /usr/lib/tmpfiles.d/raynoded.conf
644 /usr/share/bash-completion/completions/raynoded
755 /usr/share/doc/raynoded
644 /usr/share/doc/raynoded/changelog.Debian.gz
644 /usr/share/doc/raynoded/copyright
755 /usr/share/fish/vendor_completions.d
644 /usr/share/fish/vendor_completions.d/raynoded.fish
644 /usr/share/lintian/overrides/raynoded
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
644 /usr/share/zsh/vendor-completions/_raynoded
755 /var/lib/raynoded`

// needrestart is the only configuration file.
const needrestart = "/etc/needrestart/conf.d/raynoded.conf"

// shared is a folder that trixie has already, and bookworm has not.
const shared = "755 /usr/share/fish"

// files lists a host's files with their modes, but for those that change by themselves and for
// dpkg's own.
func (h *installed) files(t *testing.T) []string {
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
			deb, next := lab.Package(t), newerPackage(t, "*.deb")
			h := &installed{lab.Boot(t, lab.HostOptions{Name: "a", Root: suite, Net: lab.NewNetwork(t)})}
			empty := h.files(t)
			h.dpkgInstall(t, deb)
			h.remember(t)
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

func packageInstalled(t *testing.T, h *installed, empty []string) {
	require.Equal(t, packaged, added(append(empty, "644 /etc/systemd/system/remember.target", shared), h.files(t)))
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
	require.Empty(t, h.Sh(t, "ls -A /etc/raynoded"))
	require.Regexp(
		t, `^raynoded:x:\d+:\d+:Ray node:/var/lib/raynoded:/usr/sbin/nologin$`, h.Sh(t, "getent passwd raynoded"),
	)
	require.Equal(t, "raynoded raynoded", h.Sh(t, "stat -c '%U %G' /var/lib/raynoded"))
	require.Contains(t, h.Run(t, "ldd /usr/bin/raynoded").Stderr, "not a dynamic executable")

	h.requireIs(
		t, unit,
		is{"LoadState": "loaded", "UnitFileState": "disabled", "ActiveState": "inactive", "ActiveEnterTimestamp": ""},
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

func packageHasNoRole(t *testing.T, h *installed) {
	for u, path := range map[string]string{unit: rolePath, "raynoded@a.service": "/etc/raynoded/a.toml"} {
		got := h.Run(t, "systemctl start "+u)
		require.Equal(t, 1, got.Code)
		require.Contains(t, got.Stderr, "Assertion failed on job for "+u+".")
		h.requireIs(t, u, is{"ActiveState": "inactive", "AssertResult": "no", "NRestarts": "0"})
		require.Contains(t, h.Sh(t, "systemctl status --no-pager "+u+" || true"), "AssertPathExists="+path+" was not met")
	}
	got := h.Run(t, "raynoded check")
	require.Equal(t, 78, got.Code)
	require.Equal(t, "raynoded: cannot load "+rolePath+": there is no role file\n", got.Stderr)
	for _, example := range []string{"head", "worker", "auto", "single"} {
		h.Sh(t, "raynoded check /usr/share/raynoded/examples/"+example+".toml")
	}
}

// packageUpgraded upgrades under two running nodes, one of them enabled.
func packageUpgraded(t *testing.T, h *installed, next string) {
	h.Put(t, rolePath, loneWorker, "644")
	h.Put(t, "/etc/raynoded/a.toml", loneWorker, "644")
	h.layOver(t, "standing", standing)
	h.Put(t, "/etc/raynoded/a.toml.d/standing.toml", standing, "644")
	h.Sh(t, "systemctl enable --quiet --now "+unit+" && systemctl start raynoded@a")
	version := h.Sh(t, "raynoded version")
	var before []string
	for _, u := range []string{unit, "raynoded@a.service"} {
		h.requireIs(t, u, up)
		before = append(before, h.mainPID(t, u))
	}
	h.dpkgInstall(t, next)
	for i, u := range []string{unit, "raynoded@a.service"} {
		h.requireIs(t, u, up.with("MainPID", before[i]).with("NRestarts", "0").with("NeedDaemonReload", "no"))
	}
	h.requireIs(t, unit, is{"UnitFileState": "enabled"})
	require.NotEqual(t, version, h.Sh(t, "raynoded version"))
	require.Contains(t, h.Sh(t, "raynoded version"), "9.0.0")
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
	require.Contains(t, h.Get(t, needrestart), newerConf)

	h.Sh(t, "systemctl restart "+unit)
	h.logs(t, "raynoded 9.0.0 as worker from "+rolePath)
}

// packageSameAgain installs the version that is there, under the two nodes.
func packageSameAgain(t *testing.T, h *installed, next string) {
	units, files := []string{unit, "raynoded@a.service"}, h.files(t)
	var before []string
	for _, u := range units {
		before = append(before, h.mainPID(t, u))
	}
	h.dpkgInstall(t, next)
	for i, u := range units {
		h.requireIs(t, u, up.with("MainPID", before[i]).with("NRestarts", "0").with("NeedDaemonReload", "no"))
	}
	h.requireIs(t, unit, is{"UnitFileState": "enabled"})
	require.Equal(t, files, h.files(t))
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
}

func packageDowngraded(t *testing.T, h *installed, deb string) {
	before := h.mainPID(t, unit)
	h.dpkgInstall(t, deb)
	h.requireIs(t, unit, up.with("MainPID", before).with("NeedDaemonReload", "no"))
	require.Empty(t, h.Sh(t, "dpkg --verify raynoded"))
	require.NotContains(t, h.Get(t, needrestart), newerConf)
}

func packageRemoved(t *testing.T, h *installed) {
	h.Sh(t, "dpkg --remove raynoded")
	for _, u := range []string{unit, "raynoded@a.service"} {
		h.requireIs(t, u, is{"LoadState": "not-found", "ActiveState": "inactive"})
		h.requireNothingOf(t, u)
		h.logs(t, "ended: asked to stop: terminated\n")
	}
	require.Empty(t, h.Sh(t, "find /etc/systemd /run/systemd -name 'raynoded*.service'"))
	require.Equal(t, loneWorker, h.Get(t, rolePath))
	require.Contains(t, h.Sh(t, "ls /var/lib/raynoded"), "role")
	require.Empty(
		t,
		h.Sh(t, "ls /usr/bin/raynoded /usr/lib/systemd/system/raynoded* /usr/share/raynoded 2>/dev/null || true"),
	)
}

func packageReinstalled(t *testing.T, h *installed, deb string) {
	h.dpkgInstall(t, deb)
	h.requireIs(t, unit, is{"UnitFileState": "disabled", "ActiveState": "inactive"})
	require.Equal(t, loneWorker, h.Get(t, rolePath))
	h.Sh(t, "systemctl start "+unit)
	h.requireIs(t, unit, up)
}

func packagePurged(t *testing.T, h *installed, empty []string) {
	h.Sh(t, "dpkg --purge raynoded")
	h.requireIs(t, unit, is{"LoadState": "not-found", "ActiveState": "inactive"})
	h.requireNothingOf(t, unit)
	require.Empty(t, added(append(empty, "644 /etc/systemd/system/remember.target"), h.files(t)))
	require.Equal(t, 1, h.Run(t, "dpkg -s raynoded").Code, "dpkg has forgotten it")
	h.Sh(t, "getent passwd raynoded") // stays: its number must not go to somebody else
}

// node are raynoded and its raylet, by their numbers.
func (h *installed) node(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("raynoded %s, raylet %d", h.mainPID(t, unit), h.one(t, unit, "raylet").Pid)
}

// TestHost_Upgrade upgrades both hosts while a job runs over them.
func TestHost_Upgrade(t *testing.T) {
	lab.Need(t, lab.Root("bookworm"))
	next := newerPackage(t, "*.deb")
	p := bootPair(t, "bookworm")
	p.head.Put(t, "/srv/job.py", `
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
	p.head.layOver(t, "job", "job.command = [\"/opt/ray/bin/python3\", \"/srv/job.py\"]\n")
	p.startBoth(t)
	p.head.logs(t, "first step on b\n", "--identifier=job")

	hosts := []*installed{p.head, p.worker}
	before := map[*installed]string{}
	for _, h := range hosts {
		before[h] = h.node(t)
		h.dpkgInstall(t, next)
	}
	for _, h := range hosts {
		h.requireIs(t, unit, up.with("NRestarts", "0").with("NeedDaemonReload", "no"))
		require.Equal(t, before[h], h.node(t))
	}
	p.head.Put(t, "/srv/last", "", "644")
	for _, h := range hosts {
		h.await(t, unit, down)
		h.requireNothingOf(t, unit)
	}
	p.head.logs(t, "last step on b\n", "--identifier=job")

	t.Run("remove under a running cluster", func(t *testing.T) {
		p.head.Sh(t, "rm "+rolePath+".d/job.toml")
		p.startBoth(t)
		p.worker.logs(t, "raynoded 9.0.0 as worker from "+rolePath)
		for _, h := range []*installed{p.worker, p.head} {
			h.Sh(t, "dpkg --remove raynoded")
			h.requireNothingOf(t, unit)
			h.requireIs(t, unit, is{"LoadState": "not-found", "ActiveState": "inactive"})
		}
	})
}
