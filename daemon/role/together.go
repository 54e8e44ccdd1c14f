package role

import (
	"fmt"
	"path"
	"strings"

	"github.com/BurntSushi/toml"
)

// defaultHeadPort is the port on which a head listens if Ray is not told one.
const defaultHeadPort = 6379

// checkTogether checks the values of all files against each other.
func (l *loader) checkTogether() {
	r := &l.role
	if r.Kind == "" {
		l.missing("role", mustBe(&r.Kind))
	}
	l.checkHead()
	l.checkLauncher()
	l.checkPersistence()
	l.checkAuth()
	l.checkPorts()
	l.checkDelivery()
	l.checkInstanceName()
	l.checkNodeIP()
	if r.Kind == Worker && len(r.Ray.SystemConfig) > 0 {
		l.conflict("ray.system_config", "must be on the head, which tells its workers", unquoted(`role "worker"`))
	}
	if r.Kind == Worker && l.origins["job"] != nil {
		l.conflict("job", "must be on the head, which runs the job", unquoted(`role "worker"`))
	}
	if n := r.Cluster.Nodes; n > 0 && r.Job.WaitNodes > n {
		l.conflict("job.wait_nodes", fmt.Sprintf("must be at most cluster.nodes (%d)", n), r.Job.WaitNodes)
	}
}

func (l *loader) checkHead() {
	r := &l.role
	head := &r.Cluster.Head
	switch {
	case r.Cluster.Auto != nil:
		if head.Port == 0 {
			head.Port = defaultHeadPort
		}
	case r.Kind == Single || r.Kind == "":
	case *head == Address{}:
		l.missing("cluster.head", mustBe(head))
	case head.Host == "":
		l.conflict("cluster.head", mustBe(head), head.String())
	}
}

// checkNodeIP refuses an address that is not the only one, and one that the other nodes, which the
// head's own address says are elsewhere, cannot reach.
func (l *loader) checkNodeIP() {
	r := &l.role
	switch {
	case r.Node.IP != "" && r.Node.Interface != "":
		l.conflict("node.ip", "must not be set together with node.interface", r.Node.IP)
	case r.Kind != Single && r.Cluster.Auto == nil && isLoopback(r.Node.IP) && isElsewhere(r.Cluster.Head.Host):
		l.conflict("node.ip",
			fmt.Sprintf("must be an address that the nodes of cluster.head (%s) can reach", r.Cluster.Head), r.Node.IP)
	}
}

// checkInstanceName refuses a name that leaves no room for Ray's Unix sockets: the unit's
// ray.temp_dir is /var/lib/raynoded/NAME/ray.
func (l *loader) checkInstanceName() {
	temp := path.Join("/var/lib/raynoded", l.role.Name, "ray")
	if l.role.Ray.TempDir != "" || l.role.Kind == Single || path.Dir(l.path) != unitFolder || len(temp) <= maxTempDir {
		return
	}
	l.complain(l.main, "ray.temp_dir", fmt.Sprintf(
		"must be set, or the instance's name have at most %d bytes, as Ray makes Unix sockets in %s: "+
			"at most %d bytes, got %d",
		len(l.role.Name)-(len(temp)-maxTempDir), temp, maxTempDir, len(temp)))
}

// checkPersistence refuses a [job] on a persistent head: the head comes back, its job would not.
func (l *loader) checkPersistence() {
	c := &l.role.Cluster
	if c.PersistentHead && len(l.role.Job.Command) > 0 {
		l.conflict("cluster.persistent_head",
			"must not be set together with [job], whose driver would end with the head", true)
	}
	if c.Redis == (Address{}) {
		return
	}
	switch {
	case !c.PersistentHead:
		l.conflict("cluster.redis", "must come with cluster.persistent_head = true", c.Redis.String())
	case l.role.Kind == Worker:
		l.conflict("cluster.redis", "must be on the head, whose state it keeps", unquoted(`role "worker"`))
	case c.Redis.Host == "":
		l.conflict("cluster.redis", mustBe(&c.Redis), c.Redis.String())
	}
}

func (l *loader) checkLauncher() {
	r := &l.role
	if r.Cluster.Auto == nil {
		return
	}
	if r.Kind != Auto && r.Kind != "" {
		l.conflict("cluster.auto", `must come with role "auto"`, unquoted(fmt.Sprintf("role %q", r.Kind)))
	}
	for _, key := range []string{"rank", "nodes", "head_host"} {
		l.missing("cluster.auto."+key, "must be the name of an environment variable")
	}
	if r.Cluster.Nodes > 0 {
		l.conflict("cluster.nodes", "must not be set together with cluster.auto.nodes", r.Cluster.Nodes)
	}
}

func (l *loader) checkAuth() {
	auth := &l.role.Auth
	if auth.Mode == "" && l.role.Kind != Single && l.role.Kind != "" {
		l.missing("auth.mode", mustBe(&auth.Mode)+", there is no default")
	}
	if auth.TokenFile != "" && auth.Mode != Token && !l.refused["auth.mode"] {
		l.conflict("auth.token_file", fmt.Sprintf("must come with auth.mode %q", Token), nil)
	}
}

// missing complains about a key that no file has, unless it was suggested for an unknown key.
func (l *loader) missing(key, must string) {
	parts := strings.Split(key, ".")
	if l.origins[key] != nil || l.meant[key] || l.isRefused(parts) {
		return
	}
	place := l.main
	for i := range parts {
		if table := l.origins[toml.Key(parts[:i]).String()]; table != nil {
			place = table
		}
	}
	l.complain(place, key, must+", got nothing")
}

// conflict complains about a value that contradicts another one.
func (l *loader) conflict(key, must string, v any) {
	if n := l.origins[key]; n != nil && !l.isRefused(strings.Split(key, ".")) {
		l.refuse(n, must, v)
	}
}
