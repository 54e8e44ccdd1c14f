package host

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// readProfiles reads profiles by their names, each from the first folder that has it. The error
// lists all that is wrong.
func readProfiles(names []string, folders ...string) ([]*role.Profile, error) {
	var found []*role.Profile
	var problems []error
	for _, name := range names {
		p, err := readProfile(name, folders)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		found = append(found, p)
	}
	return found, errors.Join(problems...)
}

func readProfile(name string, folders []string) (*role.Profile, error) {
	for _, folder := range folders {
		path := filepath.Join(folder, name+".toml")
		p, err := role.LoadProfile(path)
		switch {
		case err == nil:
			return p, nil
		case !errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("profile %s: %s", name, err.Error())
		}
	}
	return nil, fmt.Errorf("there is no profile %s in %s%s", name, strings.Join(folders, " or "), others(folders))
}

// others names the profiles that there are.
func others(folders []string) string {
	var names []string
	for _, folder := range folders {
		paths, _ := filepath.Glob(filepath.Join(folder, "*.toml"))
		for _, path := range paths {
			names = append(names, strings.TrimSuffix(filepath.Base(path), ".toml"))
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return "; there are " + strings.Join(slices.Compact(names), ", ")
}
