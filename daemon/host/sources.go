package host

import (
	"errors"
	"net"
	"path/filepath"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// shippedProfiles are those of the package. A site has its own in the folder "profiles" beside the
// role file.
const shippedProfiles = "/usr/share/raynoded/profiles"

// siteProfiles is where a site has its own profiles, which come before the shipped ones.
func siteProfiles(r *role.Role) string { return filepath.Join(filepath.Dir(r.Files[0]), "profiles") }

// ReadSources reads the profiles and files that the role names, and what this host is like. All
// that is wrong is in the error.
func ReadSources(r *role.Role, dirs Dirs, env []string) (environ.Sources, error) {
	s := environ.Sources{Role: r, Environ: env, ConfFile: dirs.NCCLConf(), StartIDVariable: ray.StartIDVariable}
	var problems []error
	var err error
	s.Profiles, err = readProfiles(r.EnvFrom.Profiles, siteProfiles(r), shippedProfiles)
	if err != nil {
		problems = append(problems, reason.Unfit("env_from.profiles", "%w", err))
	}
	for _, path := range r.EnvFrom.Files {
		f, err := readEnvFile(path, r)
		if err != nil {
			problems = append(problems, reason.Unfit("env_from.files", "%w", err))
			continue
		}
		s.Files = append(s.Files, f)
	}
	all, err := net.Interfaces()
	if err != nil {
		problems = append(problems, reason.Unfit("node.interface", "cannot list this host's interfaces: %w", err))
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	home, _ := environ.Lookup(env, "HOME")
	s.Host = readNetwork("/", names)
	s.Elsewhere = readElsewhere("/", home)
	return s, errors.Join(problems...)
}
