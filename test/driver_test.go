//go:build ray

package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// driver is a Ray program that somebody else on a member's host runs: it finds the cluster by
// ray.env alone.
type driver struct {
	cmd    *exec.Cmd
	output string // the file
	ended  chan struct{}
}

// driver starts testdata/program, which is killed at the end of the test if it still runs.
func (r *running) driver(t *testing.T, program string, args ...string) *driver {
	t.Helper()
	return r.driverWith(t, r.rayEnv(t), program, args...)
}

// rayEnv are the variables of ray.env.
func (r *running) rayEnv(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(r.path("run", "ray.env"))
	require.NoError(t, err)
	var env []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			env = append(env, line)
		}
	}
	return env
}

func (r *running) driverWith(t *testing.T, env []string, program string, args ...string) *driver {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", program))
	require.NoError(t, err)
	out, err := os.CreateTemp(r.dir, program)
	require.NoError(t, err)
	defer out.Close()
	d := &driver{
		cmd:    exec.Command(r.python(), append([]string{path}, args...)...),
		output: out.Name(),
		ended:  make(chan struct{}),
	}
	d.cmd.Env = append(
		[]string{byTest, "HOME=" + r.path("home"), "PATH=/usr/bin:/bin", "PYTHONUNBUFFERED=1", "NODE_IP=" + r.ip},
		env...)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, d.cmd.Start())
	go func() {
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() {
		d.end()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, d.said(t))
		}
	})
	return d
}

// end kills the driver, with its children, if it still runs.
func (d *driver) end() {
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.ended
}

func (d *driver) said(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(d.output)
	require.NoError(t, err)
	return string(text)
}

func (d *driver) hasEnded() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// result waits for the end and returns the exit code.
func (d *driver) result(t *testing.T) int {
	t.Helper()
	select {
	case <-d.ended:
	case <-time.After(comes):
		require.FailNow(t, "the driver has not ended", "%s", d.said(t))
	}
	return d.cmd.ProcessState.ExitCode()
}

// line waits for a whole line that begins with a word and returns what follows it.
func (d *driver) line(t *testing.T, word string) string {
	t.Helper()
	var found string
	lab.Until(t, comes, "the driver says "+word, func() bool {
		over := d.hasEnded() // before what it has said is read
		for line := range strings.Lines(d.said(t)) {
			after, is := strings.CutPrefix(line, word+" ")
			if text, whole := strings.CutSuffix(after, "\n"); is && whole {
				found = text
				return true
			}
		}
		require.False(t, over, "the driver has ended without saying %s: %s", word, d.said(t))
		return false
	})
	return found
}

// busy starts an actor on this member's node that never ends its work, with a child in a session of
// its own and a double-forked one. It returns the three: none of them may be there after the node's
// end. how is for testdata/busy.py.
func (r *running) busy(t *testing.T, how ...string) (*driver, []proc) {
	t.Helper()
	d := r.driver(t, "busy.py", append([]string{r.name}, how...)...)
	var family []proc
	for _, field := range strings.Fields(d.line(t, "pids")) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		p, err := readProcess(pid)
		require.NoError(t, err)
		family = append(family, p)
	}
	require.Len(t, family, 3, fmt.Sprint(family))
	r.tree = append(r.tree, family...)
	return d, family
}

// nodeID is the id of a running node, by its raylet's command line.
func nodeID(t *testing.T, r *running) string {
	t.Helper()
	for _, arg := range r.one(t, raylet).args {
		if id, found := strings.CutPrefix(arg, "--node_id="); found {
			return id
		}
	}
	require.FailNow(t, "the raylet has no --node_id")
	return ""
}
