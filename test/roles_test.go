//go:build ray

package test

import (
	"context"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/test/lab"
)

// TestStanding is a worker that outlives its head and joins the next one.
func TestStanding(t *testing.T) {
	s := newSite(t, "2.60.0")
	h := s.member(t, "head", headRole)
	worker := s.member(t, "worker", workerRole, `watchdog.on_head_loss = "rejoin"`).start(t)
	require.Contains(t, worker.hears(t, "READY=1").text, "STATUS=waiting: ", "or a boot would hang on a head that is away")

	first := h.start(t)
	worker.hears(t, "STATUS=running")
	_, family := worker.busy(t)
	raylets := []int{worker.one(t, raylet).pid}
	ids := []string{s.clusterID(t)}
	require.FileExists(t, worker.path("run", "ray.env"))
	asked := time.Now()
	t.Logf("the head has stopped after %s", first.stop(t))
	lost := worker.hears(t, "STATUS=waiting: worker of lab, head "+s.head+"; head lost: gone: ")
	t.Logf("the worker waits again %s after its head was asked to stop", lost.at.Sub(asked))
	require.NoFileExists(t, worker.path("run", "ray.env"))
	require.Empty(t, below(worker.pid()), "not even a zombie is left of the worker's Ray")
	for _, p := range family {
		require.False(t, p.living(), "left: %s", p)
	}

	second := h.start(t)
	worker.hearsAfter(t, lost.at, "STATUS=running")
	raylets, ids = append(raylets, worker.one(t, raylet).pid), append(ids, s.clusterID(t))
	require.NotEqual(t, raylets[0], raylets[1])
	require.NotEqual(t, ids[0], ids[1])
	require.ElementsMatch(t, []string{"head", "worker"}, s.alive(t))
	t.Logf("the worker has stopped after %s", worker.stop(t))
	require.True(t, second.lives())
	second.stop(t)
}

// clusterID is the cluster that runs on the site now.
func (s *site) clusterID(t *testing.T) string {
	t.Helper()
	var id string
	s.ask(t, func(ctx context.Context, conn *gcs.Conn) (err error) {
		id, err = conn.ClusterID(ctx)
		return err
	})
	return id
}

// absolute is the path of a program of the tests.
func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	require.NoError(t, err)
	return path
}

// TestAuto_ByLauncher is one role file whose role a launcher's variables say, and whose job is
// GRPO.
func TestAuto_ByLauncher(t *testing.T) {
	s := newSite(t, "2.60.0")
	role := `role = "auto"
[cluster.auto]
rank = "RANK"
nodes = "WORLD_SIZE"
head_host = "MASTER"
` + strings.ReplaceAll(anyRole, `head = "$HEAD"`, `head = "`+s.head[strings.LastIndexByte(s.head, ':'):]+`"`) + `
[job]
command = ["python", "` + absolute(t, "demo/grpo.py") + `"]
wait_timeout = "2m"
[stop]
grace = "1s"
`
	resources := []string{
		"ray.num_cpus = 4\nray.resources = { learner = 2, preparation = 1 }",
		"ray.num_cpus = 4\nray.resources = { engine = 2, verifier = 1 }",
	}
	var all []*running
	for rank := range 2 {
		m := s.member(t, "rank"+strconv.Itoa(rank), role, resources[rank])
		m.env = append(m.env, "RANK="+strconv.Itoa(rank), "WORLD_SIZE=2", "MASTER="+s.network+"1")
		all = append(all, m.start(t))
	}
	all[0].says(t, "driver: step")
	all[0].look()
	all[1].look()
	all[0].ends(t, 0, "the job ended: exit code 0")
	all[1].ends(t, 0, "head lost: gone: *")
	t.Logf("the worker ended %s after its head", all[1].end.Sub(all[0].end))
	require.Contains(t, all[0].log(t), "driver: step 12 ")
}

// TestAuto_ByAddress is one role file on two hosts with names and addresses of their own: the head
// is who has the address of cluster.head.
func TestAuto_ByAddress(t *testing.T) {
	s := newSite(t, "2.60.0")
	network := lab.NewNetwork(t)
	s.head = "a.lab:6379"
	file := s.member(t, "auto", `role = "auto"
[cluster]
head = "$HEAD"
nodes = 2
[auth]
mode = "none"
[ray]
bin = "$BIN"
num_cpus = 1
num_gpus = 0
object_store_memory = "100MB"
[job]
command = ["sh", "-c", "python `+absolute(t, "testdata/where.py")+`; exit 3"]
wait_timeout = "2m"
`, quickStop).role()
	var nodes []*lab.Node
	var all []*lab.Process
	for _, name := range []string{"a", "b"} {
		node := lab.Netns(t, network, name, "")
		dir := filepath.Join(s.dir, name)
		nodes = append(nodes, node)
		all = append(
			all,
			node.Start(t, "env", "STATE_DIRECTORY="+dir, "RUNTIME_DIRECTORY="+dir, "HOME="+dir, "GORACE=atexit_sleep_ms=0",
				lab.Binary(t), "run", "--role", file),
		)
	}
	require.Equal(t, 3, all[0].Wait(t, comes), all[0].Output())
	require.Contains(t, all[0].Output(), "\nran on a b\n")
	require.Equal(t, 0, all[1].Wait(t, comes), all[1].Output())
	require.Contains(t, all[1].Output(), " ended: head lost: gone: ")
	for _, node := range nodes {
		left := slices.DeleteFunc(node.Procs(t), func(p lab.Proc) bool {
			return p.Pid == 1 || strings.Join(p.Args, " ") == "sleep infinity" // the host's own
		})
		require.Empty(t, left)
	}
}

// TestAuto_NodeIP is a host that has an address by its role file only: it is not the head's.
func TestAuto_NodeIP(t *testing.T) {
	s := newSite(t, "2.60.0")
	s.members++ // of nobody: the head's
	r := s.member(t, "second", `role = "auto"`+anyRole).start(t)
	lab.Until(
		t, comes, "it is decided",
		func() bool { return strings.Contains(r.status(), "; cannot reach head ") || isStarting(r) },
	)
	require.Contains(t, r.status(), "waiting: worker of lab, head "+s.head)
	r.stop(t)
}

func isStarting(r *running) bool { return strings.HasPrefix(r.status(), "starting: ") }

func TestJob_RayDies(t *testing.T) {
	for name, pattern := range map[string]string{"gcs_server": gcsServer, "raylet": raylet} {
		t.Run(name, func(t *testing.T) {
			head := newSite(
				t,
				"2.60.0",
			).member(t, "head", headRole, quickStop, `job.command = ["sh", "-c", "sleep 1000 & wait"]`).
				start(t)
			head.says(t, "job runs: sh")
			lab.Until(t, comes, "the job is at work", func() bool {
				return slices.ContainsFunc(head.look(), func(p proc) bool { return strings.HasPrefix(p.line(), "sleep 1000") })
			})
			require.NoError(t, syscall.Kill(head.one(t, pattern).pid, syscall.SIGKILL))
			head.ends(t, 72, "Ray failed under the job: "+name+" ended with signal killed")
		})
	}
}

func TestSingle(t *testing.T) {
	t.Run("Job", func(t *testing.T) {
		single := newSite(t, "2.60.0").member(t, "single", `role = "single"
ray.bin = "$BIN"
job.command = ["python", "`+absolute(t, "testdata/single.py")+`", "$DIR/ray"]
`).start(t)
		require.Contains(t, single.hears(t, "READY=1").text, "STATUS=running: single host: no cluster to set up")
		lab.Until(t, comes, "the job has a Ray of its own", func() bool {
			for _, p := range single.look() {
				if strings.Contains(p.line(), "/raylet/raylet ") {
					return true
				}
			}
			return !single.lives()
		})
		single.says(t, "job left ")
		single.ends(t, 5, "the job ended: exit code 5")
		_, left, _ := strings.Cut(single.log(t), "job left ")
		pid, err := strconv.Atoi(strings.Fields(left)[0])
		require.NoError(t, err)
		_, err = readProcess(pid)
		require.Error(t, err, "the process in a session of its own is left")
	})
	t.Run("NoJob", func(t *testing.T) {
		single := newSite(t, "2.60.0").member(t, "single", `role = "single"`).start(t)
		ready := single.hears(t, "READY=1")
		require.Contains(t, ready.text, "STATUS=running: single host: no cluster to set up")
		require.Empty(t, single.look())
		single.stop(t)
	})
}
