//go:build ray

package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/edits"
	"github.com/raynoded/raynoded/test/lab"
)

// counts is a job that counts for ever, with an actor on the worker. It begins when that is there.
const counts = `cluster.nodes = 2
[job]
command = ["$PYTHON", "%s", "worker"]
`

// counted is how far the newest job has come: how often the log says so, and the last number.
func (r *running) counted(t *testing.T) (lines int, last string) {
	t.Helper()
	all := regexp.MustCompile(`(?m)^count (\d+)$`).FindAllStringSubmatch(r.log(t), -1)
	if len(all) == 0 {
		return 0, ""
	}
	return len(all), all[len(all)-1][1]
}

// countsOn waits until the job has counted on from now.
func (r *running) countsOn(t *testing.T) {
	t.Helper()
	before, _ := r.counted(t)
	lab.Until(t, comes, "the job counts", func() bool {
		now, _ := r.counted(t)
		require.True(t, r.lives(), "%s has ended", r.name)
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
	s := newSite(t, "2.60.0")
	head := s.member(t, "head", headRole, quickStop, fmt.Sprintf(counts, absolute(t, "testdata/steady.py"))).start(t)
	worker := s.member(t, "worker", workerRole, quickStop).start(t)
	head.countsOn(t)
	both := []*running{head, worker}
	vital := []proc{
		head.one(t, gcsServer),
		head.one(t, raylet),
		worker.one(t, raylet),
		head.one(t, `/steady\.py `),
		worker.one(t, `^ray::Counter`),
	}

	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	said := map[*running][]string{}
	for _, r := range both {
		require.NoError(t, os.WriteFile(r.dropIn(), nil, 0o600))
	}
	for i := range most {
		r := both[random.IntN(2)]
		text, name := edits.Role(random, i)
		if name != "" && random.IntN(3) == 0 {
			text += fmt.Sprintf("ray.num_cpus = %d\n", 3+i)
		}
		require.NoError(t, edits.Write(random, r.dropIn(), text))
		said[r] = append(said[r], name)
		for range random.IntN(4) { // often, but not always, it has settled by then
			head.countsOn(t)
		}
	}
	for _, r := range both {
		require.NoError(t, edits.Write(random, r.dropIn(), "cluster.name = 'last'\n"))
		r.hears(t, "STATUS=running: "+r.name+" of last")
		require.Equal(t, "nothing to do: what the files say is in force\n", r.reload(t))
		require.NotRegexp(t, "restart pending|former role", r.status())
	}
	head.countsOn(t)
	for _, p := range vital {
		require.True(t, p.living(), "has ended: %s", p)
	}
	for _, r := range both {
		seen := r.names()
		t.Logf("%s: %d edits, %d states", r.name, len(said[r]), len(seen))
		for _, name := range seen {
			require.Contains(t, append(said[r], "lab", "last"), name)
		}
	}
	lines, last := head.counted(t)
	require.Equal(t, strconv.Itoa(lines), last, "the job has begun once")
	head.stop(t)
	worker.ends(t, 0, "head lost: gone: *")
}

// dropIn is the file that is edited.
func (m *member) dropIn() string { return filepath.Join(m.role()+".d", "edit.toml") }

// names are those of the cluster that the service manager was told of while the node ran, one after
// the other.
func (r *running) names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for _, d := range r.heard {
		if m := regexp.MustCompile(`^running: \w+ of (\w+)`).FindStringSubmatch(d.status()); m != nil {
			names = append(names, m[1])
		}
	}
	return slices.Compact(names)
}

// reload asks the member, and returns what was printed.
func (m *member) reload(t *testing.T) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), lab.Binary(t), "reload", "--role", m.role())
	cmd.Env = m.env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// TestReload_Always edits a key of a head that needs a new Ray, where the role says that no edit
// waits: its job begins again in another cluster, which its standing worker joins.
func TestReload_Always(t *testing.T) {
	s := newSite(t, "2.60.0")
	always := `reload.restart = "always"`
	head := s.member(t, "head", headRole, quickStop, always, fmt.Sprintf(counts, absolute(t, "testdata/steady.py"))).
		start(t)
	worker := s.member(t, "worker", workerRole, quickStop, `watchdog.on_head_loss = "rejoin"`).start(t)
	head.countsOn(t)
	ids := []string{s.clusterID(t)}
	before := []proc{
		head.one(t, gcsServer),
		head.one(t, raylet),
		worker.one(t, raylet),
		head.one(t, `/steady\.py `),
		worker.one(t, `^ray::Counter`),
	}

	require.NoError(t, os.WriteFile(head.dropIn(), []byte("ray.num_cpus = 3\n"), 0o600))
	head.says(t, " restarting Ray for ray.num_cpus\n")
	worker.hears(t, "STATUS=waiting: worker of lab, head "+s.head+"; head lost: ")
	for _, p := range before {
		lab.Until(t, comes, "it has ended: "+p.String(), func() bool { return !p.living() })
	}
	lab.Until(t, comes, "another job counts", func() bool {
		lines, last := head.counted(t)
		return last != "" && last != strconv.Itoa(lines)
	})
	ids = append(ids, s.clusterID(t))
	require.NotEqual(t, ids[0], ids[1])
	require.Len(t, regexp.MustCompile(`(?m)^actor \d+$`).FindAllString(head.log(t), -1), 2, "the job began twice")
	head.stop(t)
	worker.stop(t)
}

// TestReload_Drains edits a key of a worker that needs a new Ray, where the role says that no edit
// waits: what runs there ends first.
func TestReload_Drains(t *testing.T) {
	s := newSite(t, "2.60.0")
	head := s.member(t, "head", headRole, quickStop).start(t)
	worker := s.member(t, "worker", workerRole, quickStop, "reload.restart = \"always\"\nstop.drain = \"80s\"\n").start(t)
	worker.ready(t)
	driver := head.driver(t, "nap.py", "worker", "3")
	driver.line(t, "naps")
	before := worker.one(t, raylet)

	require.NoError(t, os.WriteFile(worker.dropIn(), []byte("ray.num_cpus = 3\n"), 0o600))
	drains := worker.hears(t, "STATUS=draining: ")
	require.Equal(t, "well", driver.line(t, "woke"))
	require.Zero(t, driver.result(t))
	worker.hearsAfter(t, drains.at, "STATUS=running: ")
	require.False(t, before.living())
	require.NotEqual(t, before.pid, worker.one(t, raylet).pid)
	worker.stop(t)
	head.stop(t)
}
