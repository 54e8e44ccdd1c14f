//go:build ray

package ray

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/edits"
	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// counts is a job that counts for ever, with an actor on the worker. It begins when that is there.
func counts(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf(`cluster.nodes = 2
[job]
command = ["$PYTHON", "%s", "worker"]
`, lab.File(t, "test/programs/steady.py"))
}

// counted is how far the newest job has come: how often the log says so, and the last number.
func counted(t *testing.T, r *site.Running) (lines int, last string) {
	t.Helper()
	all := regexp.MustCompile(`(?m)^count (\d+)$`).FindAllStringSubmatch(r.Log(t), -1)
	if len(all) == 0 {
		return 0, ""
	}
	return len(all), all[len(all)-1][1]
}

// countsOn waits until the job has counted on from now.
func countsOn(t *testing.T, r *site.Running) {
	t.Helper()
	before, _ := counted(t, r)
	lab.Until(t, lab.Patience, "the job counts", func() bool {
		now, _ := counted(t, r)
		require.True(t, r.Lives(), "%s has ended", r.Name)
		return now > before
	})
}

// TestReload_Edits edits the roles of a head and a worker under a running job, RAYNODED_EDITS
// times, 40 if that is not set: in whichever way and with whatever text, nothing restarts, and only
// what a complete file has said is ever in force.
func TestReload_Edits(t *testing.T) {
	most := 40
	if n, err := strconv.Atoi(os.Getenv("RAYNODED_EDITS")); err == nil {
		most = n
	}
	s := site.New(t, "2.60.0")
	head := s.Member(t, "head", site.HeadRole, site.QuickStop, counts(t)).Start(t)
	worker := s.Member(t, "worker", site.WorkerRole, site.QuickStop).Start(t)
	countsOn(t, head)
	both := []*site.Running{head, worker}
	vital := []site.Proc{
		head.Proc(t, site.GCSServer),
		head.Proc(t, site.Raylet),
		worker.Proc(t, site.Raylet),
		head.Proc(t, `/steady\.py `),
		worker.Proc(t, `^ray::Counter`),
	}

	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	said := map[*site.Running][]string{}
	for _, r := range both {
		require.NoError(t, os.WriteFile(dropInOf(r.Member), nil, 0o600))
	}
	for i := range most {
		r := both[random.IntN(2)]
		text, name := edits.Role(random, i)
		if name != "" && random.IntN(3) == 0 {
			text += fmt.Sprintf("ray.num_cpus = %d\n", 3+i)
		}
		require.NoError(t, edits.Write(random, dropInOf(r.Member), text))
		said[r] = append(said[r], name)
		for range random.IntN(4) { // often, but not always, it has settled by then
			countsOn(t, head)
		}
	}
	for _, r := range both {
		require.NoError(t, edits.Write(random, dropInOf(r.Member), "cluster.name = 'last'\n"))
		r.Hears(t, "STATUS=running: "+r.Name+" of last")
		require.Equal(t, "nothing to do: what the files say is in force\n", reload(t, r.Member))
		require.NotRegexp(t, "restart pending|former role", r.Status())
	}
	countsOn(t, head)
	for _, p := range vital {
		require.True(t, p.Living(), "has ended: %s", p)
	}
	for _, r := range both {
		seen := clusterNames(r)
		t.Logf("%s: %d edits, %d states", r.Name, len(said[r]), len(seen))
		for _, name := range seen {
			require.Contains(t, append(said[r], "lab", "last"), name)
		}
	}
	lines, last := counted(t, head)
	require.Equal(t, strconv.Itoa(lines), last, "the job has begun once")
	head.Stop(t)
	worker.Ends(t, 0, "head lost: gone: *")
}

// dropInOf is the file that is edited.
func dropInOf(m *site.Member) string { return filepath.Join(m.RoleFile()+".d", "edit.toml") }

// clusterNames are those of the cluster that the service manager was told of while the node ran,
// one after the other.
func clusterNames(r *site.Running) []string {
	var names []string
	for _, status := range r.Statuses() {
		if m := regexp.MustCompile(`^running: \w+ of (\w+)`).FindStringSubmatch(status); m != nil {
			names = append(names, m[1])
		}
	}
	return slices.Compact(names)
}

// reload asks the member, and returns what was printed.
func reload(t *testing.T, m *site.Member) string {
	t.Helper()
	code, out, errs := command(t, m, "reload")
	require.Zero(t, code, out+errs)
	return out + errs
}

// TestReload_Always edits a key of a head that needs a new Ray, where the role says that no edit
// waits: its job begins again in another cluster, which its standing worker joins.
func TestReload_Always(t *testing.T) {
	s := site.New(t, "2.60.0")
	always := `reload.restart = "always"`
	head := s.Member(t, "head", site.HeadRole, site.QuickStop, always, counts(t)).
		Start(t)
	worker := s.Member(t, "worker", site.WorkerRole, site.QuickStop, `watchdog.on_head_loss = "rejoin"`).Start(t)
	countsOn(t, head)
	ids := []string{s.ClusterID(t)}
	before := []site.Proc{
		head.Proc(t, site.GCSServer),
		head.Proc(t, site.Raylet),
		worker.Proc(t, site.Raylet),
		head.Proc(t, `/steady\.py `),
		worker.Proc(t, `^ray::Counter`),
	}

	require.NoError(t, os.WriteFile(dropInOf(head.Member), []byte("ray.num_cpus = 3\n"), 0o600))
	head.Says(t, " restarting Ray for ray.num_cpus\n")
	worker.Hears(t, "STATUS=waiting: worker of lab, head "+s.Head+"; head lost: ")
	for _, p := range before {
		lab.Until(t, lab.Patience, "it has ended: "+p.String(), func() bool { return !p.Living() })
	}
	lab.Until(t, lab.Patience, "another job counts", func() bool {
		lines, last := counted(t, head)
		return last != "" && last != strconv.Itoa(lines)
	})
	ids = append(ids, s.ClusterID(t))
	require.NotEqual(t, ids[0], ids[1])
	require.Len(t, regexp.MustCompile(`(?m)^actor \d+$`).FindAllString(head.Log(t), -1), 2, "the job began twice")
	head.Stop(t)
	worker.Stop(t)
}

// TestReload_Drains edits a key of a worker that needs a new Ray, where the role says that no edit
// waits: what runs there ends first.
func TestReload_Drains(t *testing.T) {
	s := site.New(t, "2.60.0")
	head := s.Member(t, "head", site.HeadRole, site.QuickStop).Start(t)
	const drainsAlways = "reload.restart = \"always\"\nstop.drain = \"80s\"\n"
	worker := s.Member(t, "worker", site.WorkerRole, site.QuickStop, drainsAlways).Start(t)
	worker.Ready(t)
	driver := head.Driver(t, "nap.py", "worker", "3")
	driver.Line(t, "naps")
	before := worker.Proc(t, site.Raylet)

	require.NoError(t, os.WriteFile(dropInOf(worker.Member), []byte("ray.num_cpus = 3\n"), 0o600))
	drains := worker.Hears(t, "STATUS=draining: ")
	require.Equal(t, "well", driver.Line(t, "woke"))
	require.Zero(t, driver.Result(t))
	worker.HearsAfter(t, drains.At, "STATUS=running: ")
	require.False(t, before.Living())
	require.NotEqual(t, before.PID, worker.Proc(t, site.Raylet).PID)
	worker.Stop(t)
	head.Stop(t)
}
