package environ

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// Sources is everything that the environment is made of.
type Sources struct {
	Role     *role.Role
	Environ  []string        // raynoded's own environment, as os.Environ returns it
	Profiles []*role.Profile // in the order of the role file
	Files    []File          // in the order of the role file
	Host     Host
	// The interface that holds the node's Address. "" = not known, or there is no cluster; nothing is
	// derived then.
	Interface, Address string
	Node               []string     // NAME=value: what raynoded sets for the node itself
	StartIDVariable    string       // the name in Node whose value is new at every start
	ConfFile           string       // where the file for NCCL would be
	Elsewhere          []NotApplied // what other files of the host set
}

// Resolve puts the layers on top of each other.
func Resolve(s Sources) Result {
	l := layers{from: s.Role.EnvFrom, values: map[string]Value{}}
	l.addBase(s)
	l.addInherited(s.Environ)
	for _, p := range s.Profiles {
		for name, setting := range p.Env {
			l.set(profile, name, setting.Value, fmt.Sprintf("profile %s: %s", p.Name, setting.Reason))
		}
	}
	l.addDerived(s)
	for name, value := range s.Role.Env {
		l.set(roleFile, name, value, s.Role.EnvOrigins[name])
	}
	for _, f := range s.Files {
		for _, setting := range f.Settings {
			l.setHidden(file, setting.Name, setting.value, fmt.Sprintf("file %s:%d", f.Path, setting.Line))
		}
	}
	l.addConfFile(s.ConfFile)
	l.addConnect(s.Role.Ray.SystemConfig)
	for _, entry := range s.Node {
		name, value, _ := strings.Cut(entry, "=")
		l.set(node, name, value, "raynoded: how this node is in its cluster")
		if name == s.StartIDVariable {
			l.values[name] = Value{
				Name:     name,
				Delivery: ByEnv,
				Origin:   "raynoded: tells this start from others",
				Withheld: PerStart,
				layer:    node,
			}
		}
	}
	if sends(s.Role) {
		l.keepFromJob()
		l.warnOfJob()
	}
	r := Result{
		Values: slices.SortedFunc(maps.Values(l.values), func(a, b Value) int { return strings.Compare(a.Name, b.Name) }),
	}
	r.Digest = digest(r.Values)
	r.NotApplied = r.notApplied(append(l.dropped(s.Environ), s.Elsewhere...))
	r.Warnings = append(warn(r.Values, s.Host), l.warnings...)
	slices.Sort(r.Warnings)
	return r
}

type layers struct {
	from     role.EnvFrom
	values   map[string]Value
	warnings []string
}

// set sets a variable, over what earlier layers say.
func (l *layers) set(from layer, name, value, origin string) {
	v := Value{Name: name, Value: value, Delivery: ByEnv, Origin: origin, layer: from}
	switch {
	case value == "":
		v.Delivery = Unset
	case l.goesByFile(name, value):
		v.Delivery = ByFile
	}
	l.values[name] = v
}

// setHidden is set for a value that must not be shown.
func (l *layers) setHidden(from layer, name, value, origin string) {
	l.set(from, name, value, origin)
	if v := l.values[name]; v.Delivery != Unset {
		v.Value, v.Withheld, v.hidden = "", Secret, &value
		l.values[name] = v
	}
}

func (l *layers) goesByFile(name, value string) bool {
	if !ncclPerHost[name] || l.from.NCCLDelivery != role.DeliverFile || strings.ContainsAny(value, "\n\x00") {
		return false
	}
	if len(value) > maxConfValue {
		l.warnings = append(
			l.warnings,
			fmt.Sprintf(
				"%s is longer than the %d bytes that NCCL takes from a file, and goes by the environment", name, maxConfValue,
			),
		)
		return false
	}
	return true
}

const ownOrigin = "raynoded's own environment"

func (l *layers) addBase(s Sources) {
	const path = "PATH"
	l.set(base, path, "/usr/local/bin:/usr/bin:/bin", "")
	l.set(base, usageStats, "0", "default: Ray reports to its makers only where it is told to")
	l.inherit(base, s.Environ, baseNames, "base: "+ownOrigin)
	l.set(
		base, path, filepath.Dir(s.Role.Ray.Bin)+":"+l.values[path].Value,
		"base: the folder of ray.bin, then raynoded's own PATH",
	)
}

func (l *layers) addInherited(env []string) {
	for _, pattern := range l.from.Inherit {
		l.inherit(inherited, env, []string{pattern}, fmt.Sprintf("env_from.inherit %q: %s", pattern, ownOrigin))
	}
}

// inherit takes over the variables that match one of the patterns. It skips empty values, and
// hides a value that may be a secret.
func (l *layers) inherit(from layer, env, patterns []string, origin string) {
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		_, reserved := l.from.Reserved(name)
		switch {
		case value == "" || reserved || !slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) }):
		case role.LooksSecret(name) || role.HasLogin(name, value):
			l.setHidden(from, name, value, origin)
		default:
			l.set(from, name, value, origin)
		}
	}
}

func (l *layers) addDerived(s Sources) {
	if s.Address != "" && s.Interface == "" {
		l.warnings = append(
			l.warnings,
			"no interface of this host, other than the loopback one, has the node's address "+s.Address+": nothing is "+
				"derived from it",
		)
	}
	found, doubt := derive(s.Host, s.Interface, s.Address)
	for _, d := range found {
		before, set := l.values[d.name]
		if set && before.layer == profile && before.Delivery == Unset {
			continue
		}
		if set && before.Value != d.value {
			l.warnings = append(
				l.warnings,
				fmt.Sprintf(
					"%s = %q (%s) gives way to what was derived, %q: to keep it, say it in [env]", d.name, before.Value,
					before.Origin, d.value,
				),
			)
		}
		l.set(derived, d.name, d.value, "derived: "+d.why)
	}
	if _, said := s.Role.Env["NCCL_IB_HCA"]; doubt != "" && !said && l.values["NCCL_IB_HCA"].Name == "" {
		l.warnings = append(l.warnings, doubt)
	}
}

// addConfFile names the file for NCCL if there is a value to deliver by it.
func (l *layers) addConfFile(path string) {
	for _, v := range l.values {
		if v.Delivery == ByFile {
			l.set(derived, confFile, path, "raynoded: what is delivered by file")
			return
		}
	}
}

// dropped returns the variables of raynoded's own environment that affect training and that Ray
// does not get.
func (l *layers) dropped(env []string) []NotApplied {
	var found []NotApplied
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		patterns := slices.Concat(baseNames, l.from.Inherit)
		taken := slices.ContainsFunc(patterns, func(p string) bool { return matches(p, name) })
		if _, reserved := l.from.Reserved(name); reserved || taken || !affectsTraining(name) {
			continue
		}
		found = append(
			found,
			redacted(NotApplied{
				Name: name, Value: value, From: ownOrigin, Why: "only what env_from.inherit names is taken over",
			}),
		)
	}
	return found
}

// redacted returns n without its value if that may be a secret.
func redacted(n NotApplied) NotApplied {
	if role.LooksSecret(n.Name) {
		n.Value = ""
	}
	return n
}

// notApplied returns those of all that Ray does not get with the same value.
func (r Result) notApplied(all []NotApplied) []NotApplied {
	kept := []NotApplied{}
	for _, n := range all {
		i := slices.IndexFunc(r.Values, func(v Value) bool { return v.Name == n.Name })
		same := i >= 0 && r.Values[i].Delivery != Unset && (r.Values[i].text() == n.Value || role.LooksSecret(n.Name))
		if !same {
			kept = append(kept, n)
		}
	}
	return kept
}
