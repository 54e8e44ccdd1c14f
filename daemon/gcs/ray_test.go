//go:build ray

package gcs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// versions are the Rays that gcs.proto was checked on.
var versions = []string{"2.9.3", "2.40.0", "2.60.0"}

func TestRay(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			r := newRay(t, version)
			modern := version == "2.60.0"
			python := strings.TrimPrefix(strings.TrimSpace(r.output("bin/python", "--version")), "Python ")
			r.startHead("--node-name=head-n", "--resources={\"rack7\":2}")
			head := Head{Address: headAddress}
			c := connect(t, head)

			id, err := c.ClusterID(within(t, later))
			require.NoError(t, err)
			require.Len(t, id, 56)
			again, err := connect(t, head).ClusterID(within(t, later))
			require.NoError(t, err)
			require.Equal(t, id, again)

			alive, err := c.CheckAlive(within(t, later))
			require.NoError(t, err)
			require.Equal(t, Alive{RayVersion: version}, alive)

			v, err := c.Versions(within(t, later))
			require.NoError(t, err)
			require.Equal(t, Versions{Ray: version, Python: python}, v)

			_, err = ask(within(t, later), c, "", c.kv.InternalKVGet, &gcspb.InternalKVGetRequest{Key: []byte("none")})
			var refused *statusError
			require.ErrorAs(t, err, &refused)
			require.EqualValues(t, statusNotFound, refused.code)

			nodes, err := c.Nodes(within(t, later))
			require.NoError(t, err)
			require.Len(t, nodes, 1)
			n := nodes[0]
			t.Logf("head: %+v", n)
			require.Len(t, n.ID, 56)
			require.Equal(t, "127.0.0.2", n.Address)
			require.Equal(t, "head-n", n.Name)
			require.Equal(t, "head-i", n.InstanceID)
			require.InDelta(t, 2, n.Resources["rack7"], 0)
			require.True(t, n.Alive)
			require.True(t, n.Head)
			require.WithinDuration(t, time.Now(), n.Started, time.Minute)
			require.Zero(t, n.Ended)
			require.Zero(t, n.Death)
			host, _ := os.Hostname()
			require.Equal(t, host, n.Host)
			r.checkArgv(n.ID)
			if modern {
				alive, err = c.CheckAlive(within(t, later), n.ID, strings.Repeat("ab", 28))
				require.NoError(t, err)
				require.Equal(t, []bool{true, false}, alive.Nodes)
			}

			t.Run("Worker", func(t *testing.T) { r.worker(t, c, head) })

			words, end := following(t.Context(), connect(t, head))
			require.True(t, <-words)
			gcs := r.pid("gcs_server")

			r.freeze(gcs)
			_, err = c.CheckAlive(within(t, time.Second))
			require.Equal(t, Stuck, FaultOf(err), "%v", err)
			fresh := connect(t, head)
			_, err = fresh.ClusterID(within(t, time.Second))
			require.Equal(t, Stuck, FaultOf(err), "%v", err)
			require.NoError(t, unix.Kill(gcs, unix.SIGCONT))
			_, err = fresh.ClusterID(within(t, later))
			require.NoError(t, err)
			require.Empty(t, words)

			killed := time.Now()
			require.NoError(t, unix.Kill(gcs, unix.SIGKILL))
			err = <-end
			t.Logf("SIGKILL of the GCS: %q after %v", err, time.Since(killed))
			require.Equal(t, Broken, FaultOf(err), "%v", err)
			_, err = c.CheckAlive(within(t, later))
			require.Equal(t, Broken, FaultOf(err), "%v", err)
			require.Eventually(t, func() bool { // a dying process closes what it listens on when its turn comes
				c, err := Dial(within(t, later), head)
				if err == nil {
					_ = c.Close()
				}
				return FaultOf(err) == Refused
			}, later, 10*time.Millisecond)
			t.Logf("refused %v after the SIGKILL", time.Since(killed))
		})
	}
}

// worker joins a second node and ends its raylet by SIGTERM, then a third one by
// SIGKILL.
func (r *rayLab) worker(t *testing.T, c *Conn, head Head) {
	for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		name := "worker-" + unix.SignalName(sig)
		before := r.pids("raylet/raylet")
		r.start("127.0.0.3", name, "--address="+head.Address)
		n := find(t, c, name)
		require.True(t, n.Alive)
		require.False(t, n.Head)
		var mine int
		for _, pid := range r.pids("raylet/raylet") {
			if !slices.Contains(before, pid) {
				mine = pid
			}
		}
		ended := time.Now()
		require.NoError(t, unix.Kill(mine, sig))
		for ; n.Alive; time.Sleep(10 * time.Millisecond) {
			n = find(t, c, name)
			require.Less(t, time.Since(ended), 2*time.Minute)
		}
		t.Logf(
			"%v of a raylet: dead for the GCS after %v: %v, %q", sig, time.Since(ended).Round(10*time.Millisecond),
			n.Death.Reason, n.Death.Message,
		)
		require.NotZero(t, n.Ended)
	}
}

func find(t *testing.T, c *Conn, instance string) Node {
	t.Helper()
	nodes, err := c.Nodes(within(t, later))
	require.NoError(t, err)
	for _, n := range nodes {
		if n.InstanceID == instance {
			return n
		}
	}
	require.Fail(t, "node is not listed", instance)
	return Node{}
}

func TestRay_Token(t *testing.T) {
	r := newRay(t, "2.60.0")
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	r.env = append(r.env, "RAY_AUTH_MODE=token", "RAY_AUTH_TOKEN_PATH="+file)
	r.startHead()
	for _, tt := range []struct {
		name  string
		token Token
		fault Fault
	}{
		{"None", Token{}, Unauthorized},
		{"Wrong", NewToken("other"), Unauthorized},
		{"Right", NewToken(secret), Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := connect(t, Head{Address: headAddress, Token: tt.token})
			_, err := c.ClusterID(within(t, later))
			t.Logf("%v", err)
			require.Equal(t, tt.fault, FaultOf(err), "%v", err)
			_, err = c.CheckAlive(within(t, later))
			require.Equal(t, tt.fault, FaultOf(err), "%v", err)
			_, err = c.Nodes(within(t, later))
			require.Equal(t, tt.fault, FaultOf(err), "%v", err)
			_, err = c.Versions(within(t, later))
			require.Equal(t, tt.fault, FaultOf(err), "%v", err)
			require.Equal(t, tt.fault == Unknown, err == nil)

			ctx, cancel := context.WithCancel(t.Context())
			words, end := following(ctx, c)
			require.True(t, <-words)
			cancel()
			require.ErrorIs(t, <-end, context.Canceled)
		})
	}
}

// rayLab is one version of Ray; everything it starts ends with the test.
type rayLab struct {
	t    *testing.T
	home string
	temp string
	env  []string
}

func newRay(t *testing.T, version string) *rayLab {
	t.Helper()
	lab := os.Getenv("RAYNODED_LAB")
	for dir, _ := os.Getwd(); lab == ""; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			lab = filepath.Join(dir, ".lab")
		}
	}
	home := filepath.Join(lab, "ray-"+version)
	if _, err := os.Stat(home); err != nil {
		t.Skip("no Ray to test with: ", err)
	}
	temp := t.TempDir() // at most 41 bytes for Ray
	r := &rayLab{t: t, home: home, temp: temp, env: append(os.Environ(),
		"RAY_USAGE_STATS_ENABLED=0", "RAY_AUTH_MODE=disabled", "TMPDIR="+temp)}
	t.Cleanup(r.end)
	return r
}

func (r *rayLab) output(program string, args ...string) string {
	r.t.Helper()
	out, err := exec.Command(filepath.Join(r.home, program), args...).Output()
	require.NoError(r.t, err)
	return string(out)
}

const headAddress = "127.0.0.2:6379" // Ray replaces 127.0.0.1 by another address

func (r *rayLab) startHead(args ...string) {
	r.t.Helper()
	r.start("127.0.0.2", "head-i", append([]string{
		"--head", "--port=6379", "--temp-dir=" + r.temp, "--include-dashboard=false",
	}, args...)...)
}

// start is ray start, which returns when the node is listed.
func (r *rayLab) start(ip, instance string, args ...string) {
	r.t.Helper()
	out, err := os.CreateTemp(r.temp, "start")
	require.NoError(r.t, err)
	defer func() { _ = out.Close() }()
	args = append([]string{"start", "--node-ip-address=" + ip, "--num-cpus=1", "--object-store-memory=100000000"}, args...)
	cmd := exec.Command(filepath.Join(r.home, "bin/ray"), args...)
	cmd.Env = append(r.env, "RAY_CLOUD_INSTANCE_ID="+instance)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(out.Name())
		require.NoError(r.t, err, "%s", text)
	}
}

// all is every process of the namespace but this one: its arguments by its pid.
func (r *rayLab) all() map[int][]string {
	r.t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(r.t, err)
	found := make(map[int][]string)
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		found[pid] = strings.Split(string(bytes.TrimRight(line, "\x00")), "\x00")
	}
	return found
}

func (r *rayLab) pids(program string) (pids []int) {
	for pid, argv := range r.all() {
		if strings.HasSuffix(argv[0], "/"+program) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (r *rayLab) pid(program string) int {
	r.t.Helper()
	pids := r.pids(program)
	require.Len(r.t, pids, 1)
	return pids[0]
}

// freeze stops a program and waits until all its threads stand: the signal reaches one of them,
// which stops the others when its turn on a processor comes, and until then they answer.
func (r *rayLab) freeze(pid int) {
	r.t.Helper()
	require.NoError(r.t, unix.Kill(pid, unix.SIGSTOP))
	require.Eventually(r.t, func() bool {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		require.NoError(r.t, err)
		require.NotEmpty(r.t, stats)
		return !slices.ContainsFunc(stats, func(path string) bool {
			stat, _ := os.ReadFile(path)
			return !bytes.Contains(stat, []byte(") T "))
		})
	}, later, 10*time.Millisecond)
}

func (r *rayLab) checkArgv(nodeID string) {
	for _, program := range []string{"gcs/gcs_server", "raylet/raylet"} {
		argv := r.all()[r.pid(program)]
		r.t.Logf("%s", strings.Join(slices.DeleteFunc(slices.Clone(argv), func(arg string) bool {
			return len(arg) > 130 || strings.Contains(arg, r.temp)
		}), " "))
		for _, arg := range argv {
			if id, ok := strings.CutPrefix(arg, "--node_id="); ok {
				require.Equal(r.t, nodeID, id)
			}
		}
	}
}

// end kills all that is left in the namespace and waits until it is gone.
func (r *rayLab) end() {
	require.Equal(r.t, 1, os.Getpid())
	for len(r.all()) > 0 {
		for pid := range r.all() {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		_, _ = unix.Wait4(-1, nil, 0, nil)
	}
}
