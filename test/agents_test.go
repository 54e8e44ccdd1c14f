//go:build ray

package test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/test/lab"
)

// Ray's agents need 20 s once, on a head and on a worker, and Ray gives them 15 s (ray#65983): each
// node starts all the same, and to its service manager it is one start. The worker waits for the
// head that stays.
func TestSlowAgents(t *testing.T) {
	s := newSite(t, "2.60.0")
	folder, err := filepath.Abs("testdata/slow")
	require.NoError(t, err)
	slow := func(name string) string {
		return fmt.Sprintf("[env]\nPYTHONDONTWRITEBYTECODE = \"1\"\nPYTHONPATH = %q\nSLOWED = %q\n",
			folder, filepath.Join(s.dir, "slowed-"+name+"-"))
	}
	head := s.member(t, "head", headRole, slow("head")).start(t)
	worker := s.member(t, "worker", workerRole, slow("worker")).start(t)
	head.ready(t)
	worker.ready(t)
	require.ElementsMatch(t, []string{"head", "worker"}, s.alive(t))
	for _, r := range []*running{head, worker} {
		log := r.log(t)
		require.Equal(t, 1, strings.Count(log, "Ray's agents needed more than 15 s: trying again, 2 of 3"))
		require.NotContains(t, log, "3 of 3")
		r.hears(t, "; Ray's agents needed more than 15 s: trying again, 2 of 3")
		r.stop(t)
		require.Equal(t, 1, r.count("READY=1"))
	}
	require.Contains(t, worker.log(t), "the head's own node is not in the cluster yet")
	require.FileExists(t, worker.path("ray/session_latest/logs/raylet.1.err"), "its second try has logs of its own")
}

// count is how many datagrams had some text.
func (r *running) count(text string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, d := range r.heard {
		if strings.Contains(d.text, text) {
			n++
		}
	}
	return n
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
