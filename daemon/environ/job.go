package environ

import "github.com/raynoded/raynoded/daemon/role"

// sends says whether there is a job on this host that may send its environment to other hosts.
func sends(r *role.Role) bool {
	return r.Kind == role.Head && len(r.Job.Command) > 0 && r.Cluster.Nodes != 1
}

// keepFromJob marks what was derived from this host and would be wrong on another.
func (l *layers) keepFromJob() {
	for name, v := range l.values {
		if v.layer == derived && v.Delivery == ByEnv && differs(name) {
			v.RayOnly = true
			l.values[name] = v
		}
	}
}

// warnOfJob names what somebody said for this host, and the job has as well.
func (l *layers) warnOfJob() {
	for name, v := range l.values {
		if v.layer != derived && v.Delivery == ByEnv && differs(name) {
			l.warnings = append(l.warnings, name+": [job] has it too, and a job that sends its environment to other hosts "+
				"puts this value on all of them ("+v.Origin+")")
		}
	}
}

// JobEnv are the entries NAME=value for the job: those of Env without what is for Ray only.
func (r Result) JobEnv() []string {
	return r.env(func(v Value) bool { return !v.RayOnly })
}
