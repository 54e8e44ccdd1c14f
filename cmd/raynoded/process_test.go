package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a test waits for what must come; it is far more than anything here needs.
const patience = 30 * time.Second

// process is a raynoded that runs.
type process struct {
	*testing.T
	cmd    *exec.Cmd
	lines  chan string // of stderr; closed when nobody can write there any more
	said   []string    // those that were read
	passed int         // of them, those that until has passed
	stdout *os.File
	late   <-chan time.Time
}

// command starts raynoded with an environment of its own. It is gone at the end of the test.
func command(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return commandAt(t, nil, env, args...)
}

// commandAt gives it a standard input.
func commandAt(t *testing.T, stdin *os.File, env []string, args ...string) *process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	stdout, err := os.CreateTemp(t.TempDir(), "stdout")
	require.NoError(t, err)
	stderr, w, err := os.Pipe()
	require.NoError(t, err)
	p := &process{
		T:      t,
		cmd:    exec.Command(self, args...),
		lines:  make(chan string, 10000),
		stdout: stdout,
		late:   time.After(patience),
	}
	p.cmd.Env = append([]string{
		beRaynoded + "=1", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=" + filepath.Dir(stdout.Name()),
		"GORACE=atexit_sleep_ms=0", // else every program of a race build stays for a second at its end
	}, env...)
	if stdin != nil {
		p.cmd.Stdin = stdin
		if isTerminal(stdin) {
			p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // it is told when its terminal goes
		}
	}
	p.cmd.Stdout, p.cmd.Stderr = stdout, w
	require.NoError(t, p.cmd.Start())
	require.NoError(t, w.Close())
	go p.read(stderr)
	t.Cleanup(p.end)
	return p
}

func (p *process) read(stderr io.ReadCloser) {
	defer close(p.lines)
	defer stderr.Close()
	for in := bufio.NewScanner(stderr); in.Scan(); {
		p.lines <- in.Text()
	}
}

func (p *process) end() {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		left, _ := filepath.Glob(cgroups(p.T, p))
		for _, dir := range left {
			_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
		}
	}
	_ = p.stdout.Close()
	if p.Failed() {
		for len(p.lines) > 0 {
			p.said = append(p.said, <-p.lines)
		}
		p.Logf("%s said:\n%s", strings.Join(p.cmd.Args[1:], " "), strings.Join(p.said, "\n"))
	}
}

// next reads one line; false at the end.
func (p *process) next() bool {
	p.Helper()
	select {
	case line, open := <-p.lines:
		if open {
			p.said = append(p.said, line)
		}
		return open
	case <-p.late:
		require.FailNow(p, "raynoded is late")
		return false
	}
}

// until waits for a line that has text in it, after the one of the last call, and returns it.
func (p *process) until(text string) string {
	p.Helper()
	for {
		for p.passed < len(p.said) {
			p.passed++
			if line := p.said[p.passed-1]; strings.Contains(line, text) {
				return line
			}
		}
		if !p.next() {
			require.FailNow(p, "it ended without saying "+text)
		}
	}
}

func (p *process) signal(s syscall.Signal) {
	p.Helper()
	require.NoError(p, p.cmd.Process.Signal(s))
}

// kill kills raynoded itself, and nothing that it has started.
func (p *process) kill() {
	p.Helper()
	p.signal(syscall.SIGKILL)
	require.Equal(p, -1, p.exit())
}

// atWork waits until a job says "at work: " and the pids of its processes, and returns them.
func (p *process) atWork() []int {
	p.Helper()
	const says = "at work: "
	_, text, _ := strings.Cut(p.until(says), says)
	var pids []int
	for _, field := range strings.Fields(text) {
		pid, err := strconv.Atoi(field)
		require.NoError(p, err)
		pids = append(pids, pid)
	}
	return pids
}

// exit waits for the end, that of everybody who could still write to stderr included, and returns
// the exit code.
func (p *process) exit() int {
	p.Helper()
	for p.next() {
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// output is what it printed to stdout; to be asked once it has ended.
func (p *process) output() string {
	p.Helper()
	text, err := os.ReadFile(p.stdout.Name())
	require.NoError(p, err)
	return string(text)
}

// stderr is what it printed there; to be asked once it has ended.
func (p *process) stderr() string { return strings.Join(p.said, "\n") }
