package site

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// Driver is a Ray program that somebody else on a member's host runs: it finds the cluster by
// ray.env alone.
type Driver struct {
	cmd    *exec.Cmd
	output string // the file
	ended  chan struct{}
}

// Driver starts one of test/programs with ray.env, which is killed at the end of the test if it
// still runs.
func (r *Running) Driver(t *testing.T, program string, args ...string) *Driver {
	t.Helper()
	return r.DriverWith(t, r.RayEnv(t), program, args...)
}

// RayEnv are the variables of ray.env.
func (r *Running) RayEnv(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(r.Path("run", "ray.env"))
	require.NoError(t, err)
	var env []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
			env = append(env, line)
		}
	}
	return env
}

// DriverWith is [Running.Driver] with other variables in place of those of ray.env.
func (r *Running) DriverWith(t *testing.T, env []string, program string, args ...string) *Driver {
	t.Helper()
	path := lab.File(t, "test/programs/"+program)
	out, err := os.CreateTemp(r.Dir, program)
	require.NoError(t, err)
	defer out.Close()
	d := &Driver{
		cmd:    exec.Command(r.python(), append([]string{path}, args...)...),
		output: out.Name(),
		ended:  make(chan struct{}),
	}
	d.cmd.Env = append(
		[]string{ByTest, "HOME=" + r.Path("home"), "PATH=/usr/bin:/bin", "PYTHONUNBUFFERED=1", "NODE_IP=" + r.IP},
		env...)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, d.cmd.Start())
	go func() {
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	t.Cleanup(func() {
		d.End()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, d.Said(t))
		}
	})
	return d
}

// End kills the driver, with its children, if it still runs.
func (d *Driver) End() {
	_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	<-d.ended
}

// Said is what the driver has printed so far.
func (d *Driver) Said(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(d.output)
	require.NoError(t, err)
	return string(text)
}

func (d *Driver) hasEnded() bool {
	select {
	case <-d.ended:
		return true
	default:
		return false
	}
}

// Result waits for the end and returns the exit code.
func (d *Driver) Result(t *testing.T) int {
	t.Helper()
	select {
	case <-d.ended:
	case <-time.After(lab.Patience):
		require.FailNow(t, "the driver has not ended", "%s", d.Said(t))
	}
	return d.cmd.ProcessState.ExitCode()
}

// Line waits for a whole line that begins with a word and returns what follows it.
func (d *Driver) Line(t *testing.T, word string) string {
	t.Helper()
	var found string
	lab.Until(t, lab.Patience, "the driver says "+word, func() bool {
		over := d.hasEnded() // before what it has said is read
		for line := range strings.Lines(d.Said(t)) {
			after, is := strings.CutPrefix(line, word+" ")
			if text, whole := strings.CutSuffix(after, "\n"); is && whole {
				found = text
				return true
			}
		}
		require.False(t, over, "the driver has ended without saying %s: %s", word, d.Said(t))
		return false
	})
	return found
}

// Busy starts an actor on this member's node that never ends its work, with a child in a session of
// its own and a double-forked one. It returns the three: none of them may be there after the node's
// end. how is for test/programs/busy.py.
func (r *Running) Busy(t *testing.T, how ...string) (*Driver, []Proc) {
	t.Helper()
	d := r.Driver(t, "busy.py", append([]string{r.Name}, how...)...)
	var family []Proc
	for _, field := range strings.Fields(d.Line(t, "pids")) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		p, err := ReadProcess(pid)
		require.NoError(t, err)
		family = append(family, p)
	}
	require.Len(t, family, 3, fmt.Sprint(family))
	r.Tree = append(r.Tree, family...)
	return d, family
}
