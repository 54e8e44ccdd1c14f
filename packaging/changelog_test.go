package packaging

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestChangelog_IsWhatNfpmReads(t *testing.T) {
	text := `# Changelog

Anything may stand here.
- A list, too.

## Unreleased

- Nobody has it yet.

## 1.10.0 - 2026-02-28

- role: it's "new", or #1: ${HOME} \n stays.
- ` + strings.Repeat("x", 76) + `

## 1.9.0 - 2026-01-31

- First release.
`
	want := `- semver: 1.10.0-1
  date: 2026-02-28T00:00:00Z
  packager: The raynoded authors <raynoded@users.noreply.github.com>
  deb: {urgency: medium, distributions: [stable]}
  changes:
    - note: 'role: it''s "new", or #1: ${HOME} \n stays.'
    - note: '` + strings.Repeat("x", 76) + `'
- semver: 1.9.0-1
  date: 2026-01-31T00:00:00Z
  packager: The raynoded authors <raynoded@users.noreply.github.com>
  deb: {urgency: medium, distributions: [stable]}
  changes:
    - note: 'First release.'
`
	got, complaints, err := changelog(t, text)
	require.NoError(t, err, complaints)
	require.Empty(t, complaints)
	require.Equal(t, want, got)
}

func TestChangelog_Complains(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			name: "no date", text: "## 1.2.3\n\n- New.\n",
			want: `CHANGELOG.md:1: want "## 1.2.3 - 2026-01-31" or "## Unreleased"` + "\n",
		},
		{
			name: "a release", text: "## 1.2.3-1 - 2026-01-31\n\n- New.\n",
			want: `CHANGELOG.md:1: want "## 1.2.3 - 2026-01-31" or "## Unreleased"` + "\n",
		},
		{
			name: "two lines", text: "## 1.2.3 - 2026-01-31\n\n- New,\n  and good.\n",
			want: `CHANGELOG.md:4: want "- " and what is new, in one line` + "\n",
		},
		{
			name: "a long line, unreleased too",
			text: "## Unreleased\n- " + strings.Repeat("x", 77) + "\n",
			want: "CHANGELOG.md:2: 79 columns, want 78 at most\n",
		},
		{
			name: "no entry", text: "## 1.2.4 - 2026-02-01\n\n## 1.2.3 - 2026-01-31\n",
			want: "CHANGELOG.md:1: a version without an entry\nCHANGELOG.md:3: a version without an entry\n",
		},
		{
			name: "everything at once", text: "## 1.2\n### Added\n* New.\n",
			want: `CHANGELOG.md:1: want "## 1.2.3 - 2026-01-31" or "## Unreleased"
CHANGELOG.md:2: want "- " and what is new, in one line
CHANGELOG.md:3: want "- " and what is new, in one line
CHANGELOG.md:1: a version without an entry
`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, complaints, err := changelog(t, c.text)
			require.Error(t, err)
			require.Equal(t, c.want, complaints)
		})
	}
}

func TestChangelog_OfThisCheckoutIsGood(t *testing.T) {
	text, err := os.ReadFile("../CHANGELOG.md")
	require.NoError(t, err)
	got, complaints, err := changelog(t, string(text))
	require.NoError(t, err, complaints)
	require.Contains(t, got, "- semver: 0.1.0-1\n")
	config, err := os.ReadFile("../nfpm.yaml")
	require.NoError(t, err)
	require.Contains(t, string(config), "\nmaintainer: The raynoded authors <raynoded@users.noreply.github.com>\n")
}

// changelog returns what packaging/changelog.awk makes of a CHANGELOG.md, and what it complains
// about.
func changelog(t *testing.T, text string) (made, complaints string, err error) {
	t.Helper()
	script, err := filepath.Abs("changelog.awk")
	require.NoError(t, err)
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("awk", "-f", script, "CHANGELOG.md")
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &stdout, &stderr
	require.NoError(t, os.WriteFile(filepath.Join(cmd.Dir, "CHANGELOG.md"), []byte(text), 0o600))
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}
