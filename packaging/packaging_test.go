// Package packaging holds what makes the binary a .deb and an .rpm; there is no code here, only its
// tests.
package packaging

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNfpm_NamesOnlyWhatExists(t *testing.T) {
	t.Chdir("..")
	paths := values(t, "src", "changelog", "postinstall", "preremove", "postremove")
	require.NotEmpty(t, paths)
	for _, path := range paths {
		if strings.HasPrefix(path, "${DIST}/") || path == "dist/changelog.yaml" {
			continue // what is built
		}
		found, err := filepath.Glob(path)
		require.NoError(t, err)
		require.NotEmpty(t, found, "nfpm.yaml names %s", path)
	}
}

func TestNfpm_HasEverything(t *testing.T) {
	t.Chdir("..")
	var named []string
	for _, path := range values(t, "src", "changelog", "postinstall", "preremove", "postremove") {
		found, err := filepath.Glob(path)
		require.NoError(t, err)
		named = append(named, found...)
	}
	for _, pattern := range []string{
		"units/*.service", "units/examples/*", "etc/raynoded/*.toml", "etc/profiles/*.toml", "packaging/*.conf",
		"packaging/deb/*", "packaging/rpm/*",
	} {
		shipped, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.Subset(t, named, shipped)
	}
}

// An upgrade asks its user nothing and leaves no .rpmnew: neither units nor role files are
// configuration files, and /etc/raynoded comes empty.
func TestNfpm_HasOneConfigurationFile(t *testing.T) {
	t.Chdir("..")
	require.Equal(t, []string{"/etc/raynoded", "/etc/needrestart/conf.d/raynoded.conf"}, etc(values(t, "dst")))
	text := nfpm(t)
	require.Equal(t, 1, strings.Count(text, "type: config"))
	require.Contains(
		t, text, "    dst: /etc/needrestart/conf.d/raynoded.conf\n    type: config|noreplace\n    packager: deb\n",
	)
}

func TestUser_IsTheOneOfTheUnit(t *testing.T) {
	unit, err := os.ReadFile("../units/raynoded.service")
	require.NoError(t, err)
	require.Contains(t, string(unit), "\nUser=raynoded\n")
	users, err := os.ReadFile("sysusers.conf")
	require.NoError(t, err)
	require.Contains(t, string(users), "\nu raynoded - \"Ray node\" /var/lib/raynoded /usr/sbin/nologin\n")
	folders, err := os.ReadFile("tmpfiles.conf")
	require.NoError(t, err)
	require.Contains(t, string(folders), "\nd /var/lib/raynoded 0755 raynoded raynoded\n")
}

func etc(paths []string) []string {
	var in []string
	for _, path := range paths {
		if strings.HasPrefix(path, "/etc/") {
			in = append(in, path)
		}
	}
	return in
}

// values returns the values of some keys of nfpm.yaml, in its order.
func values(t *testing.T, keys ...string) []string {
	var found []string
	key := regexp.MustCompile(`(?m)^[ -]*(?:` + strings.Join(keys, "|") + `): (.+)$`)
	for _, match := range key.FindAllStringSubmatch(nfpm(t), -1) {
		found = append(found, match[1])
	}
	return found
}

func nfpm(t *testing.T) string {
	text, err := os.ReadFile("nfpm.yaml")
	require.NoError(t, err)
	return string(text)
}
