//go:build ray

package ray

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// Ray's agents need 20 s once, on a head and on a worker, and Ray gives them 15 s (ray#65983): each
// node starts all the same, and to its service manager it is one start. The worker waits for the
// head that stays.
func TestSlowAgents(t *testing.T) {
	s := site.New(t, "2.60.0")
	folder := lab.File(t, "test/programs/slow")
	slow := func(name string) string {
		return fmt.Sprintf("[env]\nPYTHONDONTWRITEBYTECODE = \"1\"\nPYTHONPATH = %q\nSLOWED = %q\n",
			folder, filepath.Join(s.Dir, "slowed-"+name+"-"))
	}
	head := s.Member(t, "head", site.HeadRole, slow("head")).Start(t)
	worker := s.Member(t, "worker", site.WorkerRole, slow("worker")).Start(t)
	head.Ready(t)
	worker.Ready(t)
	require.ElementsMatch(t, []string{"head", "worker"}, s.Alive(t))
	for _, r := range []*site.Running{head, worker} {
		log := r.Log(t)
		require.Equal(t, 1, strings.Count(log, "Ray's agents needed more than 15 s: trying again, 2 of 3"))
		require.NotContains(t, log, "3 of 3")
		r.Hears(t, "; Ray's agents needed more than 15 s: trying again, 2 of 3")
		r.Stop(t)
		require.Equal(t, 1, r.Count("READY=1"))
	}
	require.Contains(t, worker.Log(t), "the head's own node is not in the cluster yet")
	require.FileExists(t, worker.Path("ray/session_latest/logs/raylet.1.err"), "its second try has logs of its own")
}

// What a waiting worker reads beforehand can be imported in each Ray.
func TestWarmUp(t *testing.T) {
	for _, version := range []string{"2.60.0", "2.40.0", "2.9.3"} {
		install := ray.Install{Bin: lab.RayBin(t, version)}
		require.Empty(t, install.Uncompiled())
		path, args := install.WarmUp()
		out, err := exec.CommandContext(t.Context(), path, append([]string{"-v"}, args...)...).CombinedOutput()
		require.NoError(t, err, string(out))
		for _, module := range []string{"aiohttp", "runtime_env_agent", "ray.dashboard.modules.reporter.reporter_agent"} {
			require.Contains(t, string(out), "\nimport '"+module+"' #", version)
		}
	}
}
