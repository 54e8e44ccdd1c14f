package daemon

import (
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// roles is the role in its stages: what the files say, what this host was found to be under them,
// what is in force, and what the life that runs began with. The loop alone changes it; guards may
// ask for what is in force, and for the life's.
type roles struct {
	file    *role.Role              // the last good reading of the files, undecided
	decided *role.Role              // the reading under which it was decided what this host is; nil: it has not been
	force   atomic.Pointer[inForce] // see now and use
	life    *role.Role              // what this life began with; of a Ray that runs, what it was started with
	running bool                    // a Ray runs that was started with it
	named   map[string]string       // fingerprints of the named files when this life began
}

func newRoles(file *role.Role) *roles {
	r := &roles{file: file, life: file}
	r.use(file)
	return r
}

// now is the role in force: what is live in it is as the files say, the rest as when this life
// began.
func (r *roles) now() *inForce { return r.force.Load() }

// use puts a role in force.
func (r *roles) use(next *role.Role) {
	if before := r.force.Swap(&inForce{next, make(chan struct{})}); before != nil {
		close(before.replaced)
	}
}

// undecided says whether it has to be found out what this host is under the files as they are now.
func (r *roles) undecided() bool { return r.decided == nil || !stands(r.decided, r.file) }

// stands says whether what was decided under one role file is so under another.
func stands(old, file *role.Role) bool {
	if old.Kind != file.Kind || file.Kind != role.Auto {
		return old.Kind == file.Kind
	}
	return old.Cluster.Head == file.Cluster.Head && reflect.DeepEqual(old.Cluster.Auto, file.Cluster.Auto) &&
		old.Node.IP == file.Node.IP && (old.Cluster.Nodes == 1) == (file.Cluster.Nodes == 1)
}

// carry is a role file with what this host was found to be, as another role has it.
func (r *roles) carry(file, found *role.Role) *role.Role {
	if r.decided == nil || r.decided.Kind != role.Auto || file.Kind != role.Auto {
		return file
	}
	carried := *file
	if found.Kind == role.Worker {
		host.MakeWorker(&carried)
	}
	carried.Kind = found.Kind
	if r.decided.Cluster.Auto != nil && file.Cluster.Auto != nil {
		carried.Cluster.Nodes, carried.Cluster.Head.Host = found.Cluster.Nodes, found.Cluster.Head.Host
	}
	return &carried
}

// begin puts a decided role in force for the next life. What is live in the files may have changed
// since it was decided.
func (r *roles) begin(decided *role.Role, named map[string]string) {
	r.named, r.running = named, false
	r.use(decided.WithLive(r.carry(r.file, decided)))
	r.life = r.now().Role
}

// startRay is the role that Ray is started with now: what is live in it may have changed while this
// node waited.
func (r *roles) startRay() *role.Role {
	r.life, r.running = r.now().Role, true
	return r.life
}

// elsewhere says whether the files now want something else of this node than to be a worker of the
// head that it has.
func (r *roles) elsewhere() bool {
	next := r.carry(r.file, r.life)
	return next.Kind != r.life.Kind || next.Cluster.Head != r.life.Cluster.Head
}

// accept takes a good reading of the files: what is live in it is in force from now on. It returns
// the keys that are, and the rest of what has changed, which needs a new Ray.
func (r *roles) accept(p proposal) (live, rest []string) {
	before := r.now()
	next := r.carry(p.role, before.Role)
	for _, c := range role.Diff(before.Role, next) {
		if c.Live {
			live = append(live, c.Key)
		} else {
			rest = append(rest, c.Key)
		}
	}
	rest = append(rest, r.hidden(p)...)
	r.file = p.role
	if len(live) > 0 {
		r.use(before.WithLive(next))
	}
	rest = append(rest, r.impatient()...)
	slices.Sort(rest)
	return live, slices.Compact(rest)
}

// hidden are keys that need a new Ray although they are live or the same: a named file holds
// something else, or the number of nodes makes another thing of an auto role.
func (r *roles) hidden(p proposal) []string {
	keys := host.ChangedKeys(r.named, p.Named)
	if was := r.decided; was != nil && p.role.Kind == role.Auto && was.Kind == role.Auto &&
		(was.Cluster.Nodes == 1) != (p.role.Cluster.Nodes == 1) {
		keys = append(keys, "cluster.nodes")
	}
	return keys
}

// impatient are the windows that have become longer than the Ray that runs was told to wait for its
// head: it would leave before raynoded does.
func (r *roles) impatient() []string {
	if !r.running || ray.ReconnectTimeout(r.now().Role) <= ray.ReconnectTimeout(r.life) {
		return nil
	}
	var keys []string
	for _, c := range role.Diff(r.life, r.now().Role) {
		if strings.HasPrefix(c.Key, "watchdog.") {
			keys = append(keys, c.Key)
		}
	}
	return keys
}
