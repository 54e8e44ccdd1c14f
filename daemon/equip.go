package daemon

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// shippedProfiles are those of the package. A site has its own in the folder "profiles" beside the
// role file.
const shippedProfiles = "/usr/share/raynoded/profiles"

// ownProfiles is where a site has its own profiles, which come before the shipped ones.
func ownProfiles(r *role.Role) string { return filepath.Join(filepath.Dir(r.Files[0]), "profiles") }

// equip reads what the environment of Ray and the job is made of, and makes what can be known of it
// before this node has an address.
func (l *life) equip() (err error) {
	l.sources, err = readSources(l.role, l.place, l.env)
	l.environment = environ.Resolve(l.sources)
	return err
}

// provide makes the environment for good, says what is odd about it, and writes down what goes by a
// file.
func (l *life) provide() error {
	l.sources.Interface, l.sources.Address = holder(l.node.IP), l.node.IP
	l.environment = environ.Resolve(l.sources)
	for _, text := range l.environment.Warnings {
		l.entry().Warn("environment: " + text)
	}
	for _, n := range l.environment.NotApplied {
		l.entry().Infof("environment: not applied: %s of %s: %s", n.Name, n.From, n.Why)
	}
	l.node.Digest = l.environment.Digest
	if err := l.place.keepToken(l.role, l.head.Token); err != nil {
		return err
	}
	return l.place.writeConf(l.environment.NCCLConf())
}

// readSources reads the profiles and files that the role names, and what this host is like. All
// that is wrong is in the error.
func readSources(r *role.Role, place Place, env []string) (environ.Sources, error) {
	s := environ.Sources{Role: r, Own: env, ConfFile: place.ConfFile(), Mark: ray.Mark}
	var problems []error
	var err error
	s.Profiles, err = environ.ReadProfiles(r.EnvFrom.Profiles, ownProfiles(r), shippedProfiles)
	if err != nil {
		problems = append(problems, unfit("env_from.profiles", "%w", err))
	}
	for _, path := range r.EnvFrom.Files {
		f, err := readEnvFile(path, r)
		if err != nil {
			problems = append(problems, unfit("env_from.files", "%w", err))
			continue
		}
		s.Files = append(s.Files, f)
	}
	all, err := net.Interfaces()
	if err != nil {
		problems = append(problems, unfit("node.interface", "cannot list this host's interfaces: %w", err))
	}
	var names []string
	for _, i := range all {
		names = append(names, i.Name)
	}
	s.Host = environ.ReadHost("/", names)
	s.Elsewhere = environ.ReadElsewhere("/", lookup(env, "HOME"))
	return s, errors.Join(problems...)
}

func readEnvFile(path string, r *role.Role) (environ.File, error) {
	name, isCredential := strings.CutPrefix(path, role.CredentialPrefix)
	if isCredential {
		path = credentialFile(credentials(r), name)
		if path == "" {
			return environ.File{}, fmt.Errorf("there is no systemd credential %s: the unit has none", name)
		}
	}
	return environ.ReadFile(path, r.EnvFrom)
}

// holder is the interface by which others reach an address of this host; "" = there is none.
func holder(ip string) string {
	want, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	all, _ := net.Interfaces()
	for _, i := range all {
		have, err := i.Addrs()
		if err == nil && holds(i, addrs(have), want.Unmap()) {
			return i.Name
		}
	}
	return ""
}

// holds says whether an interface with some addresses is where one is wanted. All loopback
// addresses are where one is. An address that is routed to its host may be on the loopback
// interface: a program that is given that one tells others 127.0.0.1.
func holds(i net.Interface, have []netip.Addr, want netip.Addr) bool {
	if want.IsLoopback() {
		return slices.ContainsFunc(have, netip.Addr.IsLoopback)
	}
	return i.Flags&net.FlagLoopback == 0 && slices.Contains(have, want)
}
