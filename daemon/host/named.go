package host

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// Snapshot is what a role comes from, as it was at one moment: its own files, and the contents of
// the files that it names.
type Snapshot struct {
	Files role.Files
	Named map[string]string // key of the role file → what the files behind it hold
}

// Same implements filewatch.Content.
func (r Snapshot) Same(other Snapshot) bool {
	return r.Files.Same(other.Files) && maps.Equal(r.Named, other.Named)
}

// Finished implements filewatch.Content. It looks at the role's own files only: nobody knows what
// a named file looks like once it is complete.
func (r Snapshot) Finished(before Snapshot) bool { return r.Files.Finished(before.Files) }

// namedFiles returns, by key, the files that a role names and whose contents Ray is started with.
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
		files["env_from.profiles"] = append(files["env_from.profiles"], filepath.Join(siteProfiles(r), name+".toml"))
	}
	return files
}

// Fingerprints returns a hash of each key's named files, which tells one content from another. It
// reveals none of it.
func Fingerprints(r *role.Role) map[string]string {
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

// Read reads what a role comes from: the role file at path and its drop-ins, and the files that the
// role in force names.
func Read(path string, inForce *role.Role) Snapshot {
	return Snapshot{Files: role.Read(path), Named: Fingerprints(inForce)}
}

// Paths returns the paths of the files that Read reads.
func Paths(path string, inForce *role.Role) []string {
	paths := role.Paths(path)
	for _, files := range namedFiles(inForce) {
		paths = append(paths, files...)
	}
	return paths
}

// ChangedKeys returns the keys whose named files have other contents in b than in a.
func ChangedKeys(a, b map[string]string) []string {
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(b)) {
		if before, known := a[key]; known && before != b[key] {
			keys = append(keys, key)
		}
	}
	return keys
}
