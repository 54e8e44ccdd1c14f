package role

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
)

const (
	// Ray's cluster id is 28 bytes.
	clusterIDBytes = 28
	// Ray puts its sockets into temp_dir/session_<time>_<pid>/sockets, and the path of a Unix
	// socket has at most 107 bytes: `ray start` refuses a longer temp_dir.
	maxTempDir = 41
	// More frequent checks would be a load on the head.
	minCheckInterval = 100 * time.Millisecond
)

// checkValues checks, one by one, the values that the current file has set.
func (l *loader) checkValues() {
	l.checkClusterValues()
	l.checkRayValues()
	l.checkTimes()
	r := &l.role
	l.check(r.Node.IP == "" || isHostIP(r.Node.IP), "node.ip", "must be an IP address of this host", r.Node.IP)
	l.check(len(r.Job.Command) == 0 || r.Job.Command[0] != "", "job.command", "must begin with a program", "")
	l.checkPath("job.dir", r.Job.Dir)
	l.checkCount("job.wait_nodes", r.Job.WaitNodes)
	l.checkCount("job.wait_gpus", r.Job.WaitGPUs)
	l.checkPath("auth.token_file", r.Auth.TokenFile)
	l.checkEnv()
}

// check complains about a value of the current file unless ok.
func (l *loader) check(ok bool, key, must string, v any) {
	n := l.origins[key]
	if ok || n == nil || n.doc != l.current.doc || l.refused[key] {
		return
	}
	l.refuse(n, must, v)
}

func (l *loader) checkPath(key, path string) {
	l.check(path == "" || filepath.IsAbs(path), key, "must be an absolute path", path)
}

func (l *loader) checkCount(key string, n int) {
	l.check(n >= 0, key, "must not be negative", n)
}

func (l *loader) checkClusterValues() {
	c := &l.role.Cluster
	l.checkCount("cluster.nodes", c.Nodes)
	id, err := hex.DecodeString(c.ID)
	l.check(c.ID == "" || err == nil && len(id) == clusterIDBytes && c.ID == strings.ToLower(c.ID),
		"cluster.id", fmt.Sprintf("must be %d lower-case hex digits", 2*clusterIDBytes), c.ID)
	if c.Auto != nil {
		l.checkVariable("cluster.auto.rank", c.Auto.Rank)
		l.checkVariable("cluster.auto.nodes", c.Auto.Nodes)
		l.checkVariable("cluster.auto.head_host", c.Auto.HeadHost)
	}
}

func (l *loader) checkVariable(key, name string) {
	l.check(IsVariable(name), key, "must be the name of an environment variable", name)
}

func isHostIP(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Zone() == "" && !ip.IsUnspecified() && !ip.IsMulticast()
}

func isLoopback(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && ip.Unmap().IsLoopback()
}

// isElsewhere reports whether a head's host is for certain no loopback address. A name may be one.
func isElsewhere(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil && !isLoopback(host)
}

func (l *loader) checkRayValues() {
	r := &l.role.Ray
	l.check(filepath.IsAbs(r.Bin), "ray.bin", "must be an absolute path", r.Bin)
	l.checkPath("ray.temp_dir", r.TempDir)
	l.check(r.KeepSessions >= 1, "ray.keep_sessions", "must be at least 1, which is the session in use", r.KeepSessions)
	l.check(len(r.TempDir) <= maxTempDir, "ray.temp_dir",
		fmt.Sprintf("must be at most %d bytes long, as Ray makes Unix sockets below it", maxTempDir),
		unquoted(fmt.Sprintf("%d bytes", len(r.TempDir))))
	l.check(r.DashboardHost != "", "ray.dashboard_host", "must be a host name or an IP address", r.DashboardHost)
	l.checkAmounts()
	for name, text := range r.Labels {
		l.checkLabel(name, text)
	}
	l.checkExtraArgs()
	l.checkPortValues()
}

func (l *loader) checkTimes() {
	r := &l.role
	for key, d := range map[string]Duration{
		"cluster.join_timeout": r.Cluster.JoinTimeout,
		"ray.start_timeout":    r.Ray.StartTimeout,
		"watchdog.refused":     r.Watchdog.Refused,
		"watchdog.silent":      r.Watchdog.Silent,
		"watchdog.stuck":       r.Watchdog.Stuck,
		"watchdog.head_return": r.Watchdog.HeadReturn,
		"job.wait_timeout":     r.Job.WaitTimeout,
	} {
		l.check(d.Duration > 0, key, "must be more than 0", d)
	}
	interval := r.Watchdog.CheckInterval
	l.check(interval.Duration >= minCheckInterval, "watchdog.check_interval",
		fmt.Sprintf("must be at least %s", minCheckInterval), interval)
}
