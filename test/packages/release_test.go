//go:build systemd

package packages

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/lab"
)

// publisher is a copy of the checkout whose make has what another person's may: another folder,
// umask, time zone and locale.
type publisher struct{ dir string }

func (p publisher) sh(t *testing.T, script string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", "umask 077; "+script)
	cmd.Dir = p.dir
	cmd.Env = append(
		os.Environ(), dist.NewerTime, "MAKEFLAGS=", "DIST=", "VERSION=", "TZ=Pacific/Kiritimati", "LC_ALL=C", "PWD="+p.dir,
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@lab", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@lab",
	)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (p publisher) must(t *testing.T, script string) string {
	t.Helper()
	out, err := p.sh(t, script)
	require.NoError(t, err, out)
	return out
}

// read returns a file of the release.
func (p publisher) read(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(p.dir, "dist/release", name))
	require.NoError(t, err)
	return content
}

// TestPackage_Release makes a release of version 9.0.0, of a commit that is tagged so.
func TestPackage_Release(t *testing.T) {
	t.Parallel()
	lab.Need(t, lab.Program("git"), lab.Program("ar"), lab.Program("dpkg-deb"), lab.Program("rpm"))
	l, err := lab.Find()
	require.NoError(t, err)
	p := publisher{t.TempDir()}
	require.NoError(t, dist.CopyNewer(l, p.dir))
	p.must(t, "git init --quiet && git add --all && git commit --quiet --message=all")

	t.Run("refused", func(t *testing.T) { releaseRefused(t, p) })
	p.must(t, "git tag v9.0.0")
	p.must(t, "make release VERSION=9.0.0 ARCHES="+runtime.GOARCH)
	t.Run("files", func(t *testing.T) { releaseFiles(t, p) })
	t.Run("reproducible", func(t *testing.T) { releaseReproducible(t, p) })
	t.Run("archive", func(t *testing.T) { releaseArchive(t, p) })
	t.Run("SBOM", func(t *testing.T) { releaseSBOM(t, p) })
	require.Empty(t, p.must(t, "git status --porcelain"))
}

func releaseRefused(t *testing.T, p publisher) {
	for _, c := range []struct{ first, version, want string }{
		{"true", "9.0", `VERSION must be such as 1.2.3, got "9.0"`},
		{"true", "9.0.1", "CHANGELOG.md begins with 9.0.0, not with 9.0.1: say what is new"},
		{"true", "9.0.0", "this commit is not tagged v9.0.0"},
		{"git tag v9.0.0 && git commit --quiet --allow-empty --message=more", "9.0.0", "this commit is not tagged v9.0.0"},
		{"git tag --delete v9.0.0 && touch new", "9.0.0", "the checkout is not clean:\n?? new"},
	} {
		p.must(t, c.first)
		out, err := p.sh(t, "make --silent release VERSION="+c.version)
		require.Error(t, err)
		require.True(t, strings.HasPrefix(out, "release: "+c.want+"\n"), out)
		require.NoDirExists(t, filepath.Join(p.dir, "dist"))
	}
	p.must(t, "rm new")
}

func releaseFiles(t *testing.T, p publisher) {
	arch, machine := runtime.GOARCH, dist.RPMArch(t)
	files := strings.Fields(p.must(t, "ls dist/release"))
	require.Equal(t, []string{
		"CHANGELOG", "SHA256SUMS", "raynoded-9.0.0-1." + machine + ".rpm",
		"raynoded-9.0.0-linux-" + arch + ".cdx.json", "raynoded-9.0.0-linux-" + arch + ".tar.gz",
		"raynoded_9.0.0-1_" + arch + ".deb",
	}, files)
	checked := p.must(t, "cd dist/release && sha256sum --strict --check SHA256SUMS")
	for _, file := range files {
		if file != "SHA256SUMS" {
			require.Contains(t, checked, file+": OK\n")
		}
	}
	require.Equal(t, `raynoded (9.0.0-1) stable; urgency=medium
  * Everything is newer.

 -- The raynoded authors <raynoded@users.noreply.github.com>  Thu, 01 Jan 2026 00:00:00 +0000
`, string(p.read(t, "CHANGELOG")))
}

// releaseReproducible compares the packages with those of newer, which were made elsewhere, earlier
// and otherwise.
func releaseReproducible(t *testing.T, p publisher) {
	for _, pattern := range []string{"*.deb", "*.rpm"} {
		path := dist.Newer(t, pattern)
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, p.read(t, filepath.Base(path))), "%s differs", filepath.Base(path))
	}
	// And no time is that of a build.
	page := p.must(
		t,
		"dpkg-deb --fsys-tarfile dist/release/*.deb | tar --extract --to-stdout ./usr/share/man/man8/raynoded.8.gz | zcat",
	)
	require.Contains(t, page, `.TH "RAYNODED" "8" "Jan 2026" "raynoded 9.0.0" "Ray nodes"`)
	r := dist.NewTools(t, nil)
	times, err := r.Run(
		t, r.Home, "rpm", "--query", "--queryformat=%{BUILDTIME} [%{FILEMTIMES} ]", "--package", dist.Newer(t, "*.rpm"),
	)
	require.NoError(t, err, times)
	for _, field := range strings.Fields(times) {
		require.Equal(t, dist.NewerTime, "SOURCE_DATE_EPOCH="+field)
	}
}

// releaseArchive compares the archive with what the .deb has below /usr.
func releaseArchive(t *testing.T, p publisher) {
	root := "raynoded-9.0.0-linux-" + runtime.GOARCH
	var deb []string
	for _, path := range strings.Fields(p.must(t, "dpkg-deb --fsys-tarfile dist/release/*.deb | tar --list ./usr")) {
		path = strings.NewReplacer("./usr/", root+"/", "zsh/vendor-completions", "zsh/site-functions",
			"raynoded/changelog.Debian.gz", "raynoded/README.md", "raynoded/copyright", "raynoded/LICENSE").Replace(path)
		if !strings.Contains(path, "/lintian/") {
			deb = append(deb, path)
		}
	}
	require.ElementsMatch(t, deb, strings.Fields(p.must(t, "tar --list --file dist/release/*.tar.gz")))
	require.Empty(
		t,
		p.must(t, "tar --list --verbose --file dist/release/*.tar.gz | grep -v '^[d-]rw[x-]r-[x-]r-[x-] 0/0 ' || true"),
	)

	p.must(t, "mkdir dist/usr && tar --extract --strip-components=1 --directory=dist/usr --file dist/release/*.tar.gz")
	require.True(t, strings.HasPrefix(p.must(t, "dist/usr/bin/raynoded version"), "raynoded 9.0.0 ("))
	require.Contains(
		t, p.must(t, "dist/usr/bin/raynoded check dist/usr/share/raynoded/examples/head.toml"), ": good: head",
	)
}

// releaseSBOM compares the list of components with what Go notes in the program.
func releaseSBOM(t *testing.T, p publisher) {
	var bom struct {
		BomFormat    string
		SerialNumber string
		Metadata     struct {
			Timestamp  string
			Component  struct{ Version string }
			Properties []struct{ Name, Value string }
		}
		Components []struct{ Name, Version string }
	}
	require.NoError(t, json.Unmarshal(p.read(t, "raynoded-9.0.0-linux-"+runtime.GOARCH+".cdx.json"), &bom))
	require.Equal(t, "CycloneDX", bom.BomFormat)
	require.Empty(t, bom.SerialNumber+bom.Metadata.Timestamp, "what no two builds have in common")
	require.Equal(t, "v9.0.0", bom.Metadata.Component.Version)

	program := filepath.Join(p.dir, "dist/usr/bin/raynoded")
	content, err := os.ReadFile(program)
	require.NoError(t, err)
	sum := sha256.Sum256(content)
	properties := map[string]string{}
	for _, property := range bom.Metadata.Properties {
		properties[property.Name] = property.Value
	}
	require.Equal(t, hex.EncodeToString(sum[:]), properties["cdx:gomod:binary:hash:SHA-256"])

	info, err := buildinfo.ReadFile(program)
	require.NoError(t, err)
	want := []string{"std " + info.GoVersion}
	for _, module := range info.Deps {
		want = append(want, module.Path+" "+module.Version)
	}
	var got []string
	for _, c := range bom.Components {
		got = append(got, c.Name+" "+c.Version)
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got)
}
