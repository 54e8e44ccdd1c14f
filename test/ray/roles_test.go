//go:build ray

package ray

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// TestStanding is a worker that outlives its head and joins the next one.
func TestStanding(t *testing.T) {
	s := site.New(t, "2.60.0")
	h := s.Member(t, "head", site.HeadRole)
	worker := s.Member(t, "worker", site.WorkerRole, `watchdog.on_head_loss = "rejoin"`).Start(t)
	require.Contains(t, worker.Hears(t, "READY=1").Text, "STATUS=waiting: ", "or a boot would hang on a head that is away")

	first := h.Start(t)
	worker.Hears(t, "STATUS=running")
	_, family := worker.Busy(t)
	raylets := []int{worker.Proc(t, site.Raylet).PID}
	ids := []string{s.ClusterID(t)}
	require.FileExists(t, worker.Path("run", "ray.env"))
	asked := time.Now()
	t.Logf("the head has stopped after %s", first.Stop(t))
	lost := worker.Hears(t, "STATUS=waiting: worker of lab, head "+s.Head+"; head lost: gone: ")
	t.Logf("the worker waits again %s after its head was asked to stop", lost.At.Sub(asked))
	require.NoFileExists(t, worker.Path("run", "ray.env"))
	require.Empty(t, site.Below(worker.PID()), "not even a zombie is left of the worker's Ray")
	for _, p := range family {
		require.False(t, p.Living(), "left: %s", p)
	}

	second := h.Start(t)
	worker.HearsAfter(t, lost.At, "STATUS=running")
	raylets, ids = append(raylets, worker.Proc(t, site.Raylet).PID), append(ids, s.ClusterID(t))
	require.NotEqual(t, raylets[0], raylets[1])
	require.NotEqual(t, ids[0], ids[1])
	require.ElementsMatch(t, []string{"head", "worker"}, s.Alive(t))
	t.Logf("the worker has stopped after %s", worker.Stop(t))
	require.True(t, second.Lives())
	second.Stop(t)
}

// TestAuto_ByLauncher is one role file whose role a launcher's variables say, and whose job is
// GRPO.
func TestAuto_ByLauncher(t *testing.T) {
	s := site.New(t, "2.60.0")
	role := `role = "auto"
[cluster.auto]
rank = "RANK"
nodes = "WORLD_SIZE"
head_host = "MASTER"
` + strings.ReplaceAll(site.AnyRole, `head = "$HEAD"`, `head = "`+s.Head[strings.LastIndexByte(s.Head, ':'):]+`"`) + `
[job]
command = ["python", "` + lab.File(t, "test/demo/grpo.py") + `"]
wait_timeout = "2m"
[stop]
grace = "1s"
`
	resources := []string{
		"ray.num_cpus = 4\nray.resources = { learner = 2, preparation = 1 }",
		"ray.num_cpus = 4\nray.resources = { engine = 2, verifier = 1 }",
	}
	var all []*site.Running
	for rank := range 2 {
		m := s.Member(t, "rank"+strconv.Itoa(rank), role, resources[rank])
		m.Env = append(m.Env, "RANK="+strconv.Itoa(rank), "WORLD_SIZE=2", "MASTER="+s.Network+"1")
		all = append(all, m.Start(t))
	}
	all[0].Says(t, "driver: step")
	all[0].Look()
	all[1].Look()
	all[0].Ends(t, 0, "the job ended: exit code 0")
	all[1].Ends(t, 0, "head lost: gone: *")
	t.Logf("the worker ended %s after its head", all[1].End.Sub(all[0].End))
	require.Contains(t, all[0].Log(t), "driver: step 12 ")
}

// TestAuto_ByAddress is one role file on two hosts with names and addresses of their own: the head
// is who has the address of cluster.head.
func TestAuto_ByAddress(t *testing.T) {
	s := site.New(t, "2.60.0")
	network := lab.NewNetwork(t)
	s.Head = "a.lab:6379"
	file := s.Member(t, "auto", `role = "auto"
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
command = ["sh", "-c", "python `+lab.File(t, "test/programs/where.py")+`; exit 3"]
wait_timeout = "2m"
`, site.QuickStop).RoleFile()
	var nodes []*lab.Node
	var all []*lab.Process
	for _, name := range []string{"a", "b"} {
		node := lab.Netns(t, network, name, "")
		dir := filepath.Join(s.Dir, name)
		nodes = append(nodes, node)
		all = append(
			all,
			node.Start(t, "env", "STATE_DIRECTORY="+dir, "RUNTIME_DIRECTORY="+dir, "HOME="+dir, "GORACE=atexit_sleep_ms=0",
				lab.Binary(t), "run", "--role", file),
		)
	}
	require.Equal(t, 3, all[0].Wait(t, lab.Patience), all[0].Output())
	require.Contains(t, all[0].Output(), "\nran on a b\n")
	require.Equal(t, 0, all[1].Wait(t, lab.Patience), all[1].Output())
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
	s := site.New(t, "2.60.0")
	s.Members++ // of nobody: the head's
	r := s.Member(t, "second", `role = "auto"`+site.AnyRole).Start(t)
	lab.Until(
		t, lab.Patience, "it is decided",
		func() bool { return strings.Contains(r.Status(), "; cannot reach head ") || isStarting(r) },
	)
	require.Contains(t, r.Status(), "waiting: worker of lab, head "+s.Head)
	r.Stop(t)
}

func isStarting(r *site.Running) bool { return strings.HasPrefix(r.Status(), "starting: ") }

func TestJob_RayDies(t *testing.T) {
	for name, pattern := range map[string]string{"gcs_server": site.GCSServer, "raylet": site.Raylet} {
		t.Run(name, func(t *testing.T) {
			head := site.New(
				t,
				"2.60.0",
			).Member(t, "head", site.HeadRole, site.QuickStop, `job.command = ["sh", "-c", "sleep 1000 & wait"]`).
				Start(t)
			head.Says(t, "job runs: sh")
			lab.Until(t, lab.Patience, "the job is at work", func() bool {
				return slices.ContainsFunc(head.Look(), func(p site.Proc) bool { return strings.HasPrefix(p.Line(), "sleep 1000") })
			})
			require.NoError(t, syscall.Kill(head.Proc(t, pattern).PID, syscall.SIGKILL))
			head.Ends(t, 72, "Ray failed under the job: "+name+" ended with signal killed")
		})
	}
}

func TestSingle(t *testing.T) {
	t.Run("Job", func(t *testing.T) {
		single := site.New(t, "2.60.0").Member(t, "single", `role = "single"
ray.bin = "$BIN"
job.command = ["python", "`+lab.File(t, "test/programs/single.py")+`", "$DIR/ray"]
`).Start(t)
		require.Contains(t, single.Hears(t, "READY=1").Text, "STATUS=running: single host: no cluster to set up")
		lab.Until(t, lab.Patience, "the job has a Ray of its own", func() bool {
			for _, p := range single.Look() {
				if strings.Contains(p.Line(), "/raylet/raylet ") {
					return true
				}
			}
			return !single.Lives()
		})
		single.Says(t, "job left ")
		single.Ends(t, 5, "the job ended: exit code 5")
		_, left, _ := strings.Cut(single.Log(t), "job left ")
		pid, err := strconv.Atoi(strings.Fields(left)[0])
		require.NoError(t, err)
		_, err = site.ReadProcess(pid)
		require.Error(t, err, "the process in a session of its own is left")
	})
	t.Run("NoJob", func(t *testing.T) {
		single := site.New(t, "2.60.0").Member(t, "single", `role = "single"`).Start(t)
		ready := single.Hears(t, "READY=1")
		require.Contains(t, ready.Text, "STATUS=running: single host: no cluster to set up")
		require.Empty(t, single.Look())
		single.Stop(t)
	})
}
