package dist

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
)

// Tools are the machine's rpm and dnf at work on a host, which has none.
type Tools struct {
	Host *host.Host
	Home string // where the two write, which would else be on the machine
}

// NewTools are those for a host. A nil host is for what looks at files only.
func NewTools(t *testing.T, h *host.Host) *Tools {
	t.Helper()
	return &Tools{Host: h, Home: t.TempDir()}
}

// Run runs one of them, with its database at a path below the root that it works on, and returns
// what it printed.
func (r *Tools) Run(t *testing.T, database string, argv ...string) (string, error) {
	t.Helper()
	require.NoError(
		t,
		os.WriteFile(filepath.Join(r.Home, ".rpmmacros"), []byte("%_dbpath "+database+"\n%_topdir "+r.Home+"\n"), 0o600),
	)
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+r.Home, "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// RPM works on the running host: its scripts are among the host's processes, and see the host's
// /run. What leads there is a link of /proc, which SQLite reads as /, the machine's: so the
// database is at a path that is the test's own there.
func (r *Tools) RPM(t *testing.T, args ...string) string {
	t.Helper()
	database := filepath.Join(r.Home, "db")
	require.NoError(t, os.MkdirAll(database, 0o755)) //nolint:gosec // for nobody but us
	inside := fmt.Sprint(r.Host.Start(t, "sleep", "infinity").Pid)
	out, err := r.Run(
		t,
		database,
		append([]string{"nsenter", "--target=" + inside, "--pid", "--net", "--ipc", "--uts", "--cgroup", "--",
			"rpm", "--root=/proc/" + inside + "/root"}, args...)...)
	require.NoError(t, err, "rpm %q: %s", args, out)
	// Debian's rpm warns of itself.
	return strings.TrimPrefix(out, "rpm: RPM should not be used directly install RPM packages, use Alien instead!\n"+
		"rpm: However assuming you know what you are doing...\n")
}

// DNF works on the root of the host, which is off, as one builds an image.
func (r *Tools) DNF(t *testing.T, args ...string) (string, error) {
	t.Helper()
	require.False(t, r.Host.On())
	return r.Run(t, "/var/lib/rpm", append([]string{"dnf", "--installroot=" + r.Host.Root, "--releasever=9", "--assumeyes",
		"--setopt=reposdir=/nonexistent", "--setopt=pluginpath=/nonexistent",
		"--setopt=cachedir=" + r.Home, "--setopt=logdir=" + r.Home, "--setopt=persistdir=" + r.Home}, args...)...)
}

// Stand makes an .rpm that stands for a package of the distribution: it has its name and nothing in
// it.
func (r *Tools) Stand(t *testing.T, name string) string {
	t.Helper()
	spec := filepath.Join(r.Home, name+".spec")
	require.NoError(
		t,
		os.WriteFile(
			spec,
			[]byte("Name: "+name+"\nVersion: 252\nRelease: 1\nSummary: "+name+"\nLicense: none\nBuildArch: noarch\n"+
				"%description\nNothing.\n%files\n"),
			0o600,
		),
	)
	out, err := r.Run(t, r.Home, "rpmbuild", "-bb", "--quiet", spec)
	require.NoError(t, err, out)
	return filepath.Join(r.Home, "RPMS/noarch", name+"-252-1.noarch.rpm")
}
