//go:build systemd

package packages

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/lab"
)

// image is a root file system in which no systemd runs: a container's, or that of an image that is
// being built. What is changed in it is the test's own.
type image struct{ lower, dir string }

func newImage(t *testing.T, suite string) image {
	t.Helper()
	lab.Need(t, lab.Root(suite))
	l, err := lab.Find()
	require.NoError(t, err)
	i := image{filepath.Join(l.Checkout, ".lab", "root-"+suite), t.TempDir()}
	for _, name := range []string{"upper", "work", "root"} {
		require.NoError(t, os.Mkdir(filepath.Join(i.dir, name), 0o755))
	}
	return i
}

// outside runs a script of the machine that finds the image mounted at $ROOT. The mounts are the
// script's own.
func (i image) outside(t *testing.T, script string, args ...string) lab.Result {
	t.Helper()
	const mount = `
export ROOT=$1/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=$1
mount -t overlay -o "lowerdir=$2,upperdir=$1/upper,workdir=$1/work" overlay "$ROOT"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
shift 2
`
	cmd := exec.CommandContext(t.Context(), "unshare", append([]string{"--mount", "--pid", "--fork", "--kill-child", "--",
		"env", "--ignore-environment", "sh", "-ec", mount + script, "sh", i.dir, i.lower}, args...)...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return lab.Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
}

// inside runs a script in the image.
func (i image) inside(t *testing.T, script string) lab.Result {
	t.Helper()
	return i.outside(t, `exec chroot "$ROOT" sh -ec "$1"`, script)
}

// must runs a script in the image that succeeds in silence, but for what it prints.
func (i image) must(t *testing.T, script string) string {
	t.Helper()
	result := i.inside(t, script)
	require.Zero(t, result.Code, "%s: %s", script, result.Stderr)
	require.Empty(t, result.Stderr, script)
	return strings.TrimSpace(result.Stdout)
}

// put copies a file of the machine into the image.
func (i image) put(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(i.dir, "upper", to), content, 0o600))
}

// TestPackage_Image is the life of the .deb where no systemd runs, and what becomes of its only
// configuration file.
func TestPackage_Image(t *testing.T) {
	t.Parallel()
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			lab.Need(t, lab.Root(suite))
			i := newImage(t, suite)
			i.put(t, lab.Package(t), "old.deb")
			i.put(t, dist.Newer(t, "*.deb"), "new.deb")
			t.Run("install", func(t *testing.T) { imageInstalled(t, i) })
			t.Run("conffile as it was packaged", func(t *testing.T) { imageConfFollows(t, i) })
			t.Run("conffile of the administrator", func(t *testing.T) { imageConfStays(t, i) })
			t.Run("purge", func(t *testing.T) { imagePurged(t, i) })
			t.Run("purge where something is mounted", func(t *testing.T) { imagePurgedAround(t, i) })
		})
	}
}

func imageInstalled(t *testing.T, i image) {
	i.must(t, "dpkg --install /old.deb")
	imageReady(t, i)
	i.must(t, "dpkg --install /old.deb")
	imageReady(t, i)
	require.Empty(t, i.must(t, "dpkg --verify raynoded"))
}

// imageReady is what an image has after an installation.
func imageReady(t *testing.T, i image) {
	t.Helper()
	require.Regexp(
		t, `^raynoded:x:\d+:\d+:Ray node:/var/lib/raynoded:/usr/sbin/nologin$`, i.must(t, "getent passwd raynoded"),
	)
	require.Equal(t, "raynoded raynoded 755", i.must(t, "stat -c '%U %G %a' /var/lib/raynoded"))
	require.Equal(t, "root root 755", i.must(t, "stat -c '%U %G %a' /etc/raynoded"))
	require.Empty(t, i.must(t, "ls -A /etc/raynoded; find /etc/systemd /run -name '*raynoded*'"))
	require.Equal(t, "disabled", i.must(t, "systemctl is-enabled raynoded.service || true"))
	require.Contains(t, i.must(t, "raynoded check /usr/share/raynoded/examples/head.toml"), ": good: head")
	i.must(t, "runuser -u raynoded -- sh -c 'touch ~raynoded/mine && rm ~raynoded/mine'")
}

// imageConfFollows changes the version where nobody has touched the file: dpkg asks nothing.
func imageConfFollows(t *testing.T, i image) {
	i.must(t, "dpkg --install /new.deb")
	require.Contains(t, i.must(t, "cat "+needrestart), dist.NewerConf[:len(dist.NewerConf)-1])
	down := i.inside(t, "dpkg --install /old.deb")
	require.Zero(t, down.Code)
	require.Regexp(t, `^dpkg: warning: downgrading raynoded (from )?\(?9.0.0-1\)? to \S+\n$`, down.Stderr)
	require.NotContains(t, i.must(t, "cat "+needrestart), dist.NewerConf[:len(dist.NewerConf)-1])
	require.Equal(t, needrestart, i.must(t, "ls "+needrestart+"*"))
}

// imageConfStays changes the version where somebody has changed the file: dpkg asks if the package
// has changed it as well, fails where nobody answers, and does as it is told in advance.
func imageConfStays(t *testing.T, i image) {
	i.must(t, "echo '# Ours.' >>"+needrestart+" && dpkg --install /old.deb")
	asked := i.inside(t, "dpkg --install /new.deb </dev/null")
	require.Equal(t, 1, asked.Code)
	require.Contains(
		t,
		asked.Stdout+asked.Stderr,
		"Configuration file '"+needrestart+"'\n ==> Modified (by you or by a script) since installation.\n"+
			" ==> Package distributor has shipped an updated version.\n",
	)
	require.Contains(t, asked.Stderr, " end of file on stdin at conffile prompt\n")
	require.Contains(t, i.must(t, "cat "+needrestart), "# Ours.")

	told := i.inside(t, "dpkg --force-confold --install /new.deb </dev/null")
	require.Zero(t, told.Code, told.Stderr)
	require.Contains(t, told.Stderr, " ==> Using current old file as you requested.\n")
	require.Contains(t, i.must(t, "cat "+needrestart), "# Ours.")
	require.Contains(t, i.must(t, "cat "+needrestart+".dpkg-dist"), dist.NewerConf[:len(dist.NewerConf)-1])
}

func imagePurged(t *testing.T, i image) {
	i.must(t, "echo 'role = \"single\"' >/etc/raynoded/role.toml && dpkg --remove raynoded")
	require.Equal(t, needrestart+"\n"+needrestart+".dpkg-dist", i.must(t, "ls "+needrestart+"*"))
	require.Equal(t, "/etc/raynoded/role.toml", i.must(t, "ls /etc/raynoded/*"))
	i.must(t, "dpkg --purge raynoded")
	require.Empty(t, i.must(t, `find / -xdev -name '*raynoded*' -not -path '/proc/*' -not -path '/dev/*'`))
	i.must(t, "getent passwd raynoded") // stays: its number must not go to somebody else
}

// imagePurgedAround has a folder of the same file system mounted below the home.
func imagePurgedAround(t *testing.T, i image) {
	i.must(t, "dpkg --install /old.deb && mkdir /srv/models /var/lib/raynoded/models && touch /srv/models/kept")
	purged := i.inside(t, "mount --bind /srv/models /var/lib/raynoded/models && dpkg --purge raynoded")
	require.Zero(t, purged.Code)
	require.Equal(t, "/var/lib/raynoded stays, since something is mounted there\n", purged.Stderr)
	require.Equal(t, "/srv/models/kept", i.must(t, "ls -d /srv/models/kept /etc/raynoded 2>/dev/null || true"))
}

// TestPackage_ImageRPM is the life of the .rpm where no systemd runs, and at first no /proc is
// mounted either.
func TestPackage_ImageRPM(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("rpm"))
	for _, suite := range []string{"bookworm", "trixie"} {
		t.Run(suite, func(t *testing.T) {
			i := newImage(t, suite)
			i.rpm(t, `umount "$ROOT/proc"`, "--install", dist.RPM(t))
			i.must(t, "getent passwd raynoded && ! [ -e /var/lib/raynoded ]") // which a boot makes
			i.rpm(t, "", "--reinstall", dist.RPM(t))
			imageReady(t, i)
			i.rpm(t, "", "--upgrade", dist.Newer(t, "*.rpm"))
			require.Contains(t, i.must(t, "raynoded version"), "raynoded 9.0.0 (")
			i.rpm(t, "", "--erase", "raynoded")
			require.Equal(t, "/var/lib/raynoded", i.must(t, `find / -xdev -name '*raynoded*' -not -path '/var/lib/rpm/*'`))
		})
	}
}

// rpm runs the machine's rpm on the image, which says nothing.
func (i image) rpm(t *testing.T, first string, args ...string) {
	t.Helper()
	// Debian's rpm warns of itself.
	result := i.outside(t, first+`
rpm --root "$ROOT" --dbpath /var/lib/rpm --nodeps "$@" 2>&1 |
	sed '/^rpm: RPM should not be used/d; /^rpm: However assuming/d'`, args...)
	require.Zero(t, result.Code)
	require.Empty(t, result.Stdout+result.Stderr)
}
