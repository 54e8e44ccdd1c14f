package daemon

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// sources are what a role comes from, as it was at one moment: its own files, and what is in the
// files that it names.
type sources struct {
	files role.Files
	named map[string]string // key of the role file → what the files behind it hold
}

// Same implements filewatch.Content.
func (s sources) Same(t sources) bool { return s.files.Same(t.files) && maps.Equal(s.named, t.named) }

// Finished implements filewatch.Content. Of a named file nobody knows what it looks like when it
// is.
func (s sources) Finished(before sources) bool { return s.files.Finished(before.files) }

// namedFiles are those that a role names and whose content Ray is started with, by their keys.
func namedFiles(r *role.Role) map[string][]string {
	files := map[string][]string{}
	if r.Auth.Mode == role.Token && r.Auth.TokenFile != "" {
		files["auth.token_file"] = []string{r.Auth.TokenFile}
	}
	for _, path := range r.EnvFrom.Files {
		if !strings.HasPrefix(path, role.CredentialPrefix) { // systemd's do not change while the unit runs
			files["env_from.files"] = append(files["env_from.files"], path)
		}
	}
	for _, name := range r.EnvFrom.Profiles { // a shipped one changes with the package, which is no edit
		files["env_from.profiles"] = append(files["env_from.profiles"], filepath.Join(ownProfiles(r), name+".toml"))
	}
	return files
}

// fingerprints tell one content of named files from another. They hold none of it.
func fingerprints(r *role.Role) map[string]string {
	prints := map[string]string{}
	for key, files := range namedFiles(r) {
		prints[key] = fingerprint(files)
	}
	return prints
}

func fingerprint(files []string) string {
	sum := sha256.New()
	for _, path := range files {
		data, err := role.ReadFile(path)
		fmt.Fprintf(sum, "%q %d %v\n", path, len(data), err)
		_, _ = sum.Write(data) // a hash takes everything
	}
	return string(sum.Sum(nil))
}

// read reads what the role in force comes from.
func (d *Daemon) read() sources {
	return sources{files: role.Read(d.path), named: fingerprints(d.now().Role)}
}

// watched are the paths of what read reads.
func (d *Daemon) watched() []string {
	paths := role.Paths(d.path)
	for _, files := range namedFiles(d.now().Role) {
		paths = append(paths, files...)
	}
	return paths
}

// differing are the keys whose named files hold something else.
func differing(a, b map[string]string) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if before, known := a[key]; known && before != b[key] {
			keys = append(keys, key)
		}
	}
	return keys
}
