package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/fakeray"
	"github.com/raynoded/raynoded/test/lab"
)

// cluster is one test's: a folder, a Ray in it, and an address for the head that nobody else has.
type testCluster struct {
	*testing.T
	dir  string
	ray  fakeray.Folder
	bin  string
	ip   string
	head string // ip:port
}

// clusters counts those of this process: every one has a loopback address of its own.
var clusters atomic.Uint32

func newCluster(t *testing.T) *testCluster {
	t.Helper()
	dir := lab.Folder(t)
	n, pid := clusters.Add(1), os.Getpid()
	c := &testCluster{T: t, dir: dir, ray: fakeray.Folder(filepath.Join(dir, "f"))}
	c.ip = fmt.Sprintf("127.%d.%d.%d", 1+pid/250%250, 1+pid%250, 1+n%250)
	c.head = c.ip + ":6379"
	bin, err := c.ray.Install()
	c.bin = bin
	require.NoError(t, err)
	t.Cleanup(c.kill)
	return c
}

// kill ends whoever is left of a test that failed half-way, and what the test itself has started.
func (c *testCluster) kill() {
	all, err := c.ray.Processes()
	require.NoError(c, err)
	for _, p := range all {
		if p.Alive() {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
}

// host makes a host of a role file, with more keys laid over it. $HEAD and the like are filled in.
func (c *testCluster) host(name, role string, more ...string) *testHost {
	c.Helper()
	h := &testHost{testCluster: c, name: name}
	h.env = []string{c.ray.Env(), "STATE_DIRECTORY=" + h.path(), "RUNTIME_DIRECTORY=" + h.path("run")}
	h.write(h.role(), role)
	for i, text := range more {
		h.write(fmt.Sprintf("%s.d/%d.toml", h.role(), i), text)
	}
	return h
}

// fill puts in what only the test knows.
func (c *testCluster) fill(text string) string {
	return strings.NewReplacer("$HEAD", c.head, "$IP", c.ip, "$DIR", c.dir, "$BIN", c.bin).Replace(text)
}

// matches compares a text with what it must be, in which * stands for anything.
func (c *testCluster) matches(want, got string) {
	c.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(c.fill(want)), `\*`, ".*")
	require.Regexp(c, "^(?s:"+pattern+")$", got)
}

// started are the programs that hosts have started, by way of `ray start`.
func (c *testCluster) started(programs ...string) []fakeray.Process {
	c.Helper()
	all, err := c.ray.Processes()
	require.NoError(c, err)
	return slices.DeleteFunc(all, func(p fakeray.Process) bool {
		return slices.Contains(p.Env, byTest) || len(programs) > 0 && !slices.Contains(programs, p.Program)
	})
}

// one returns the only one of a program that lives.
func (c *testCluster) one(program string) fakeray.Process {
	c.Helper()
	found := slices.DeleteFunc(c.started(program), func(p fakeray.Process) bool { return !p.Alive() })
	require.Len(c, found, 1, program)
	return found[0]
}

// settled waits until `ray start` has returned.
func (c *testCluster) settled() {
	c.Helper()
	c.eventually(func() bool {
		return !slices.ContainsFunc(c.started("ray start"), fakeray.Process.Alive)
	})
}

// byTest marks what a test has started itself.
const byTest = "STARTED_BY=test"

// play starts one program of Ray's as the test's own.
func (c *testCluster) play(program string, env []string, args ...string) (cmd *exec.Cmd, session string) {
	c.Helper()
	session, err := os.MkdirTemp(c.dir, "session")
	require.NoError(c, err)
	require.NoError(c, os.Mkdir(filepath.Join(session, "logs"), 0o755))
	cmd = exec.Command(
		filepath.Join(string(c.ray), "bin", program),
		append(args, "--log_dir="+filepath.Join(session, "logs"))...)
	cmd.Env = append([]string{c.ray.Env(), byTest}, env...)
	cmd.Stderr = os.Stderr
	require.NoError(c, cmd.Start())
	c.Cleanup(func() { stop(cmd) })
	return cmd, session
}

func stop(cmd *exec.Cmd) {
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// gcs starts a head that is a GCS and nothing else, and that a worker may join.
func (c *testCluster) gcs(env ...string) *exec.Cmd {
	c.Helper()
	return c.serve(env, fakeray.ListsHead)
}

// headless starts a GCS that lists no node.
func (c *testCluster) headless(env ...string) *exec.Cmd {
	c.Helper()
	return c.serve(env)
}

func (c *testCluster) serve(env []string, args ...string) *exec.Cmd {
	c.Helper()
	for i := range env {
		env[i] = c.fill(env[i])
	}
	cmd, _ := c.play("gcs_server", env, append(args, "--node-ip-address="+c.ip, "--gcs_server_port=6379")...)
	c.eventually(func() bool {
		conn, err := net.Dial("tcp", c.head)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return cmd
}

// node starts a raylet that no raynoded knows of.
func (c *testCluster) node(name string, gpus int, labels ...string) *exec.Cmd {
	c.Helper()
	id := fmt.Sprintf("%x", name)
	cmd, session := c.play(
		"raylet", nil, "--node_id="+strings.Repeat("0", 56-len(id))+id, "--gcs-address="+c.head, "--node-name="+name,
		"--node_ip_address="+c.ip, fmt.Sprintf("--num-gpus=%d", gpus), "--labels="+strings.Join(labels, ","),
	)
	c.eventually(func() bool {
		_, err := os.Stat(filepath.Join(session, "registered"))
		return err == nil
	})
	return cmd
}

// mute is a head that takes connections and says nothing.
func (c *testCluster) mute() {
	c.Helper()
	l, err := net.Listen("tcp", c.head)
	require.NoError(c, err)
	c.Cleanup(func() { _ = l.Close() })
}

// stranger listens where the head should be, and is no Ray.
func (c *testCluster) stranger() {
	c.Helper()
	l, err := net.Listen("tcp", c.head)
	require.NoError(c, err)
	c.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n"))
			_ = conn.Close()
		}
	}()
}

// tell sends a signal to the only one of a program that lives.
func (c *testCluster) tell(program string, s syscall.Signal) {
	c.Helper()
	c.alive(program)
	require.NoError(c, syscall.Kill(c.one(program).PID, s))
}

// alive waits until a program runs that may come later than READY.
func (c *testCluster) alive(program string) {
	c.Helper()
	c.eventually(func() bool { return slices.ContainsFunc(c.started(program), fakeray.Process.Alive) })
}

func (c *testCluster) farewells() []string {
	c.Helper()
	names, err := c.ray.Farewells()
	require.NoError(c, err)
	return names
}

// eventually waits for what no log line tells.
func (c *testCluster) eventually(done func() bool) {
	c.Helper()
	require.Eventually(c, done, patience, 5*time.Millisecond)
}

// cgroups is the pattern of the cgroups that p makes, where version 2 is mounted in the usual
// places.
func cgroups(t *testing.T, p *process) string {
	t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	require.NoError(t, err)
	own := ""
	for line := range strings.Lines(string(text)) {
		if path, found := strings.CutPrefix(strings.TrimSpace(line), "0::"); found {
			own = path
		}
	}
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(root + "/unified"); err == nil {
		root += "/unified"
	}
	return filepath.Join(root, own, fmt.Sprintf("ray-%d-*", p.cmd.Process.Pid))
}
