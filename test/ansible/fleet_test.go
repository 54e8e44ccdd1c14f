//go:build systemd

package ansible

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/dist"
	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// fleetRole is one file for all hosts of a standing cluster.
const fleetRole = `role = "auto"
[cluster]
name = "grpo"
head = "a.lab:6379"
nodes = 3
[ray]
num_cpus = 2
object_store_memory = "100MB"
[watchdog]
on_head_loss = "rejoin"
[stop]
grace = "3s"
drain = "5s"
[auth]
mode = "token"
token_file = "/etc/raynoded/token"
`

const (
	headDropIn   = "ray.extra_args = ['--include-dashboard=false']\n"
	workerDropIn = "ray.resources = { work = 2, ledger = 1 }\n"
)

// The tasks that scenes name.
const (
	writesRole   = "Write the role file"
	writesDropIn = "Write the drop-ins"
	removes      = "Remove the drop-ins that are no longer named"
	asks         = "Ask the node what it makes of its files"
	pends        = "Say what waits for a restart"
)

func bootStandingFleet(t *testing.T) *fleet {
	t.Helper()
	f := bootFleet(t, "bookworm", "a", "b", "c")
	f.vars["raynoded_role"] = fleetRole
	f.vars["raynoded_token"] = host.Token
	f.dropIn("a", "10-head", headDropIn)
	f.dropIn("b", "10-worker", workerDropIn)
	f.dropIn("c", "10-worker", workerDropIn)
	return f
}

// dropIn names a drop-in of a host in the inventory; "" takes it back.
func (f *fleet) dropIn(host, name, text string) {
	drops, _ := f.own[host]["raynoded_drop_ins"].(map[string]string)
	drops = maps.Clone(drops)
	if drops == nil {
		drops = map[string]string{}
	}
	drops[name] = text
	if text == "" {
		delete(drops, name)
	}
	f.own[host]["raynoded_drop_ins"] = drops
}

// life is by what a restart of a node, or of its Ray alone, is seen.
type life struct {
	main, invocation, restarts string
	raylet                     int
}

func (f *fleet) lives(t *testing.T) map[string]life {
	t.Helper()
	lives := map[string]life{}
	for _, h := range f.hosts {
		h.RequireState(t, host.Unit, host.Up)
		p := h.Show(t, host.Unit, "MainPID", "InvocationID", "NRestarts")
		lives[h.Name] = life{
			main: p["MainPID"], invocation: p["InvocationID"], restarts: p["NRestarts"],
			raylet: h.ProcIn(t, host.Unit, "raylet").Pid,
		}
	}
	return lives
}

// TestAnsible takes the role of packaging/ansible through the life of a fleet.
func TestAnsible(t *testing.T) {
	f := bootStandingFleet(t)
	t.Run("check mode on fresh hosts", func(t *testing.T) { ansibleChecks(t, f) })
	t.Run("workers start without a head", func(t *testing.T) { ansibleStartsWorkers(t, f) })
	t.Run("a head makes it a cluster", func(t *testing.T) { ansibleStartsHead(t, f) })
	t.Run("a second run changes nothing", func(t *testing.T) { ansibleChangesNothing(t, f) })
	t.Run("a key that needs a new Ray", func(t *testing.T) { ansibleLeavesKeyPending(t, f) })
	t.Run("a live key, and the other one taken back", func(t *testing.T) { ansibleAppliesLiveKey(t, f) })
	t.Run("a bad role and a bad drop-in", func(t *testing.T) { ansibleRefusesBadFiles(t, f) })
	t.Run("a new token", func(t *testing.T) { ansibleKeepsWorkers(t, f) })
	t.Run("a rolling upgrade under a job", func(t *testing.T) { ansibleUpgrades(t, f) })
	t.Run("a per-job cluster", func(t *testing.T) { ansiblePerJob(t, f) })
}

func ansibleChecks(t *testing.T, f *fleet) {
	h := f.hosts[0]
	p := f.plays(t, "site.yml", "--check", "--diff", "--limit", h.Name)
	require.Contains(t, p.changed(h.Name), writesRole)
	require.NotContains(t, p.output, host.Token)
	p = f.plays(t, "upgrade.yml", "--check", "--limit", h.Name)
	require.Contains(t, p.changed(h.Name), writesRole)
	require.Equal(
		t, "none", h.Sh(t, "ls -d /etc/raynoded /var/cache/raynoded* /usr/bin/raynoded 2>/dev/null || echo none"),
	)
}

func ansibleStartsWorkers(t *testing.T, f *fleet) {
	began := time.Now()
	p := f.plays(t, "site.yml", "--diff", "--limit", "b,c")
	t.Logf("the play took %s", time.Since(began))
	require.NotContains(t, p.output, host.Token)
	require.Contains(t, p.output, "object_store_memory", "other files are shown")
	for _, h := range f.hosts[1:] {
		h.RequireState(t, host.Unit, host.Up.With("UnitFileState", "enabled"))
		h.Await(t, host.Unit, host.State{"StatusText": "waiting: worker of grpo, head a.lab:6379; *connection refused*"})
		require.Equal(t, "640 root raynoded", h.Sh(t, "stat -c '%a %U %G' /etc/raynoded/token"))
		require.Equal(t, host.Token+"\n", h.Get(t, "/etc/raynoded/token"))
		require.NotContains(t, h.Journal(t), host.Token, "Ansible logs what its modules are given")
		require.Equal(t, fleetRole, h.Get(t, host.RolePath))
		require.Equal(
			t, workerDropIn+"# Put here by the Ansible role raynoded.\n", h.Get(t, host.RolePath+".d/10-worker.toml"),
		)
	}
}

func ansibleStartsHead(t *testing.T, f *fleet) {
	f.plays(t, "site.yml", "--limit", "a")
	f.awaitCluster(t)
	f.hosts[0].RequireState(t, host.Unit, host.State{"UnitFileState": "enabled"})
}

// awaitCluster waits at the gate, as a launch script does.
func (f *fleet) awaitCluster(t *testing.T) {
	t.Helper()
	f.hosts[0].Sh(t, "raynoded wait --timeout 90s a b c")
	for _, h := range f.hosts {
		h.Await(t, host.Unit, host.Up.With("StatusText", "running: *"))
	}
}

func ansibleChangesNothing(t *testing.T, f *fleet) {
	before := f.lives(t)
	p := f.plays(t, "site.yml")
	require.Len(t, p.recap, 3)
	p.requireUnchanged(t)
	require.Equal(t, before, f.lives(t))
}

func ansibleLeavesKeyPending(t *testing.T, f *fleet) {
	before := f.lives(t)
	b := f.hosts[1]
	f.dropIn("b", "50-cpus", "ray.num_cpus = 3\n")
	p := f.plays(t, "site.yml", "--limit", "b")
	require.Equal(t, []string{writesDropIn}, p.changed("b"))
	require.Equal(t, "restart pending: ray.num_cpus", p.text("b", pends))
	b.RequireState(t, host.Unit, host.State{"StatusText": "running: worker of grpo, *; restart pending: ray.num_cpus"})
	require.Equal(t, before, f.lives(t))
}

func ansibleAppliesLiveKey(t *testing.T, f *fleet) {
	before := f.lives(t)
	a, b := f.hosts[0], f.hosts[1]
	b.LayOver(t, "90-person", "log.level = \"debug\"\n")
	f.vars["raynoded_role"] = strings.Replace(fleetRole, "[stop]", "silent = \"25s\"\n[stop]", 1)
	f.dropIn("b", "50-cpus", "")
	p := f.plays(t, "site.yml", "--limit", "a,b")
	for h, want := range map[*host.Host][]string{a: {writesRole}, b: {writesRole, removes}} {
		// The node has mostly seen the edit before it is asked.
		require.Contains(t, [][]string{want, append(want, asks)}, p.changed(h.Name))
		require.Empty(t, p.text(h.Name, pends))
		h.AwaitLog(t, "applied from the role file: watchdog.silent\n")
	}
	require.Equal(t, "10-worker.toml\n90-person.toml", b.Sh(t, "ls "+host.RolePath+".d"))
	b.RequireState(t, host.Unit, host.State{"StatusText": "running: worker of grpo, head a.lab:6379"})
	require.Equal(t, before, f.lives(t))
	b.Sh(t, "rm "+host.RolePath+".d/90-person.toml")
}

func ansibleRefusesBadFiles(t *testing.T, f *fleet) {
	before := f.lives(t)
	good := f.hosts[1].Get(t, host.RolePath)
	f.own["b"]["raynoded_role"] = good + "[log]\nlevel = 3\n"
	f.dropIn("c", "50-bad", "[stop]\ngrace = 3\n")
	p := f.play(t, "site.yml", "--limit", "b,c")
	delete(f.own["b"], "raynoded_role")
	f.dropIn("c", "50-bad", "")

	require.Equal(t, 2, p.code)
	for host, told := range map[string]struct{ task, complaint string }{
		"b": {writesRole, host.RolePath + ":" + strconv.Itoa(strings.Count(good, "\n")+2) + ":9: log.level: must be "},
		"c": {writesDropIn, host.RolePath + ".d/50-bad.toml:2:9: stop.grace: must be "},
	} {
		require.Equal(t, 1, p.recap[host].Failures)
		require.Contains(t, p.text(host, told.task), "failed to validate")
		require.Contains(t, p.text(host, told.task), told.complaint)
	}
	require.Equal(t, good, f.hosts[1].Get(t, host.RolePath))
	require.Equal(t, "10-worker.toml", f.hosts[2].Sh(t, "ls "+host.RolePath+".d"))
	require.Equal(t, before, f.lives(t))
}

// ansibleKeepsWorkers gives the fleet another token, with which a worker that restarts before its
// head would be refused.
func ansibleKeepsWorkers(t *testing.T, f *fleet) {
	before := f.lives(t)
	f.vars["raynoded_token"] = strings.Repeat("5", len(host.Token))
	p := f.play(t, "upgrade.yml")
	f.vars["raynoded_token"] = host.Token
	require.Equal(t, 2, p.code)
	require.Contains(t, p.text("b", "Insist that the worker would find its cluster"),
		"auth.token_file must be the same on all nodes of a cluster, so no worker is restarted before its head. ")
	require.Empty(t, p.text("c", "Insist that the worker would find its cluster"), "b was the first, and the play is over")
	require.Equal(t, before, f.lives(t))

	p = f.plays(t, "site.yml")
	for _, h := range f.hosts {
		require.Empty(t, p.text(h.Name, pends))
	}
	require.Equal(t, before, f.lives(t))
}

// ansibleUpgrades replaces the program of a cluster in which a job runs, and restarts the workers
// one by one.
func ansibleUpgrades(t *testing.T, f *fleet) {
	before := f.lives(t)
	head, workers := f.hosts[0], f.hosts[1:]
	job := head.Program(t, "raynoded", "role", "rolling.py", "/srv/enough")
	requireRounds(t, job)

	f.vars["raynoded_package"] = dist.Newer(t, "*.deb")
	p := f.plays(t, "upgrade.yml")
	require.Contains(t, p.text("a", "Leave the head alone"), "This head runs on as it is")
	after := f.lives(t)
	require.Equal(t, before["a"], after["a"])
	for _, h := range workers {
		require.NotEqual(t, before[h.Name].invocation, after[h.Name].invocation)
		require.Equal(t, "0", after[h.Name].restarts)
		h.AwaitLog(t, "raynoded 9.0.0 as auto from "+host.RolePath)
	}
	for _, h := range f.hosts {
		require.Contains(t, h.Sh(t, "raynoded version"), "9.0.0")
	}
	first, second := workers[0], workers[1]
	require.Less(t, phase(t, first, "starting", "running"), phase(t, second, "running", "draining"), "one at a time")

	requireRounds(t, job)
	head.Sh(t, "touch /srv/enough")
	sum := strings.Fields(host.Says(t, job, "sum"))
	require.Zero(t, job.Wait(t, lab.Patience))
	require.Equal(t, sum[0], sum[2])

	f.plays(t, "upgrade.yml", "--limit", "a,b").requireUnchanged(t)
	require.Equal(t, after, f.lives(t), "a second upgrade finds nothing to restart")
}

// requireRounds waits until the job has done a round from now on, on both workers.
func requireRounds(t *testing.T, job *lab.Process) {
	t.Helper()
	already := len(job.Output())
	both := regexp.MustCompile(`(?m)^round \d+ on b c$`)
	lab.Until(t, lab.Patience, "a round on both workers", func() bool {
		require.True(t, job.Running(), job.Output())
		return both.MatchString(job.Output()[already:])
	})
}

// phase is when a node last went from one phase to another, by the clock of the machine.
func phase(t *testing.T, h *host.Host, from, to string) float64 {
	t.Helper()
	line := h.Journal(t, "--unit="+host.Unit, "--lines=1", "--output=short-unix", "FROM="+from, "PHASE="+to)
	require.NotEmpty(t, line)
	when, err := strconv.ParseFloat(strings.Fields(line)[0], 64)
	require.NoError(t, err)
	return when
}

// ansiblePerJob makes the cluster one that is started for each job, and takes the upgrade back.
func ansiblePerJob(t *testing.T, f *fleet) {
	f.vars["raynoded_package"] = lab.Package(t)
	f.vars["raynoded_role"] = strings.Replace(fleetRole, "on_head_loss = \"rejoin\"\n", "", 1)
	f.vars["raynoded_state"] = "stopped"
	f.plays(t, "site.yml")
	for _, h := range f.hosts {
		h.RequireState(t, host.Unit, host.Down.With("UnitFileState", "disabled"))
		require.NotContains(t, h.Sh(t, "raynoded version"), "9.0.0")
	}

	f.vars["raynoded_state"] = "started"
	f.dropIn("a", "50-job", "job.command = ['echo', 'done']\n")
	f.plays(t, "site.yml", "--limit", "b,c")
	for _, h := range f.hosts[1:] {
		h.Await(t, host.Unit, host.Waiting.With("UnitFileState", "disabled"))
	}
	f.plays(t, "site.yml", "--limit", "a")
	ended := map[string]string{}
	for _, h := range slices.Backward(f.hosts) { // the head, which starts without being waited for, last
		h.Await(t, host.Unit, host.Down)
		ended[h.Name] = h.Show(t, host.Unit, "InvocationID")["InvocationID"]
	}

	delete(f.vars, "raynoded_state")
	f.plays(t, "site.yml").requireUnchanged(t)
	for _, h := range f.hosts {
		h.RequireState(t, host.Unit, host.Down.With("InvocationID", ended[h.Name]))
	}
}
