//go:build systemd && matrix

package ansible

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// jobRole is a node that nothing starts.
const jobRole = "role = \"worker\"\ncluster.head = \"a.lab:6379\"\nauth.mode = \"none\"\n"

// installs has the role install a package, which it must do once.
func (f *fleet) installs(t *testing.T, what, version string) {
	t.Helper()
	f.vars["raynoded_package"] = what
	require.NotEmpty(t, f.plays(t, "site.yml").changed("a"))
	f.leaves(t, what, version)
}

// leaves has the role find that a package is there.
func (f *fleet) leaves(t *testing.T, what, version string) {
	t.Helper()
	f.vars["raynoded_package"] = what
	f.plays(t, "site.yml").requireUnchanged(t)
	require.Contains(t, f.hosts[0].Sh(t, "raynoded version"), "raynoded "+version+" (")
}

// serve has the host serve its /srv, as what a mirror is.
func serve(t *testing.T, h *host.Host) {
	t.Helper()
	p := h.Start(t, "python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", "/srv", "8000")
	lab.Until(t, lab.Patience, "the mirror serves", func() bool { return strings.Contains(p.Output(), "Serving HTTP") })
}

// TestAnsible_APT installs by name and by URL, up and down, on a host whose repository gets a newer
// package.
func TestAnsible_APT(t *testing.T) {
	file, next := lab.Package(t), dist.Newer(t, "*_amd64.deb")
	f := bootFleet(t, "bookworm", "a")
	h := f.hosts[0]
	f.vars["raynoded_role"] = jobRole
	h.Sh(t, "rm -rf /etc/apt/sources.list*; echo 'deb [trusted=yes] copy:/srv ./' >/etc/apt/sources.list")
	publishDeb(t, h, file)
	serve(t, h)
	old := debField(t, file, "Version")

	f.installs(t, "raynoded", versionOfDeb(old))
	publishDeb(t, h, file, next)
	t.Run("a bare name", func(t *testing.T) { f.leaves(t, "raynoded", versionOfDeb(old)) })
	t.Run("a newer version", func(t *testing.T) { f.installs(t, "raynoded=9.0.0-1", "9.0.0") })
	t.Run("the older one again", func(t *testing.T) { f.installs(t, "raynoded="+old, versionOfDeb(old)) })
	t.Run("a URL", func(t *testing.T) { f.installs(t, "http://127.0.0.1:8000/"+filepath.Base(next), "9.0.0") })
	t.Run("an older URL", func(t *testing.T) {
		f.installs(t, "http://127.0.0.1:8000/"+filepath.Base(file), versionOfDeb(old))
	})
}

// publishDeb makes /srv of the host a repository of these packages.
func publishDeb(t *testing.T, h *host.Host, files ...string) {
	t.Helper()
	var index strings.Builder
	for _, file := range files {
		name := filepath.Base(file)
		h.Copy(t, file, "/srv/"+name, "644")
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		fmt.Fprintf(
			&index, "%sFilename: ./%s\nSize: %d\nSHA256: %x\n\n", debField(t, file), name, len(content),
			sha256.Sum256(content),
		)
	}
	h.Put(t, "/srv/Packages", index.String(), "644")
}

// debField is a field of a package, or all of its control file.
func debField(t *testing.T, file string, field ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "dpkg-deb", append([]string{"--field", file}, field...)...).Output()
	require.NoError(t, err)
	if len(field) == 0 {
		return string(out)
	}
	return strings.TrimSpace(string(out))
}

// versionOfDeb is a version without the package's own part.
func versionOfDeb(version string) string { return version[:strings.LastIndex(version, "-")] }

// TestAnsible_DNF is the same by dnf: a Debian that has it says that it is a Rocky, which is not to
// be had here.
func TestAnsible_DNF(t *testing.T) {
	lab.Need(t, lab.Program("createrepo_c"), lab.Program("rpmbuild"))
	file, next := dist.RPM(t), dist.Newer(t, "*."+dist.RPMArch(t)+".rpm")
	f := bootFleet(t, "dnf", "a")
	h := f.hosts[0]
	f.vars["raynoded_role"] = jobRole
	h.Put(t, "/etc/redhat-release", "Rocky Linux release 9.6 (Blue Onyx)\n", "644")
	h.Sh(t, "rm /etc/os-release")
	h.Put(
		t, "/etc/os-release", "NAME=\"Rocky Linux\"\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.6\"\n",
		"644",
	)
	h.Put(t, "/etc/yum.repos.d/srv.repo", "[srv]\nname=srv\nbaseurl=file:///srv\ngpgcheck=0\nmetadata_expire=0\n", "644")
	publishRPM(t, h, dist.NewTools(t, h).Stand(t, "systemd"), file)
	serve(t, h)
	old := dist.VersionOf(t, file)

	f.installs(t, "raynoded", old)
	publishRPM(t, h, next)
	t.Run("a bare name", func(t *testing.T) { f.leaves(t, "raynoded", old) })
	t.Run("a newer version", func(t *testing.T) { f.installs(t, "raynoded-9.0.0", "9.0.0") })
	t.Run("the older one again", func(t *testing.T) { f.installs(t, "raynoded-"+old, old) })
	t.Run("a URL", func(t *testing.T) { f.installs(t, "http://127.0.0.1:8000/"+filepath.Base(next), "9.0.0") })
	t.Run("a file", func(t *testing.T) { f.installs(t, file, old) })
}

// publishRPM adds packages to the repository that is /srv of the host.
func publishRPM(t *testing.T, h *host.Host, files ...string) {
	t.Helper()
	for _, file := range files {
		h.Copy(t, file, "/srv/"+filepath.Base(file), "644")
	}
	out, err := exec.CommandContext(t.Context(), "createrepo_c", "--quiet", filepath.Join(h.Root, "srv")).CombinedOutput()
	require.NoError(t, err, "%s", out)
}
