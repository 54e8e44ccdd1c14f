//go:build systemd

package lab

import (
	"fmt"
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
	"golang.org/x/sys/unix"
)

// doomed is the variable that makes the test the one that is to be ended. It names the file that
// says when it is ready.
const doomed = "LAB_DOOMED"

// beDoomed has some of everything that outlives a process: a booted host, a host without systemd, a
// line that leads through this process, and a folder with a program of no host.
func beDoomed(t *testing.T, ready string) {
	network := NewNetwork(t)
	host := Boot(t, HostOptions{Name: "a", Root: "bookworm", Net: network})
	plain := Netns(t, network, "b", "")
	plain.Line(t, Weather{Delay: time.Millisecond})
	folder := Folder(t)
	stray := exec.Command("sleep", "1000")
	stray.Env = []string{"STATE_DIRECTORY=" + folder + "/state"}
	stray.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, stray.Start())
	pids := []int{
		host.Start(t, "sleep", "1000").Pid, plain.Start(t, "setsid", "sleep", "1000").Pid, stray.Process.Pid,
		host.main.Process.Pid, plain.main.Process.Pid,
	}
	report := fmt.Sprintln(os.Getpid(), folder, network.claim.name)
	for _, pid := range pids {
		report += fmt.Sprintln(pid, startOf(pid))
	}
	require.NoError(t, os.WriteFile(ready+".half", []byte(report), 0o600))
	require.NoError(t, os.Rename(ready+".half", ready))
	for { // It talks, as tests do: nobody may listen any more.
		fmt.Println("still here")
		time.Sleep(time.Millisecond)
	}
}

// Whatever ends a test process, nothing that it had is left: at once, or if it was killed, when the
// next one begins.
func TestEnding_NothingIsLeft(t *testing.T) {
	if ready := os.Getenv(doomed); ready != "" {
		beDoomed(t, ready)
	}
	Need(t, Root("bookworm"))
	cases := []struct {
		name   string
		script string // by which the shell that plays go test starts "$@", the test
		end    func(t *testing.T, shell *exec.Cmd, test int)
		next   bool // nothing is left only after the next one has begun
	}{
		{
			name: "SIGINT", script: `exec "$@"`,
			end: func(t *testing.T, _ *exec.Cmd, test int) { require.NoError(t, unix.Kill(test, unix.SIGINT)) },
		},
		{
			name: "SIGTERM", script: `exec "$@"`,
			end: func(t *testing.T, _ *exec.Cmd, test int) { require.NoError(t, unix.Kill(test, unix.SIGTERM)) },
		},
		{
			name: "SIGHUP", script: `exec "$@"`,
			end: func(t *testing.T, _ *exec.Cmd, test int) { require.NoError(t, unix.Kill(test, unix.SIGHUP)) },
		},
		{
			name: "SIGTERM where SIGINT and SIGHUP are ignored", script: `trap "" INT HUP; exec "$@"`,
			end: func(t *testing.T, _ *exec.Cmd, test int) {
				require.NoError(t, unix.Kill(test, unix.SIGINT))
				require.NoError(t, unix.Kill(test, unix.SIGHUP))
				time.Sleep(500 * time.Millisecond)
				require.NotEmpty(t, startOf(test))
				require.NoError(t, unix.Kill(test, unix.SIGTERM))
			},
		},
		{
			name: "go test is killed", script: `"$@" & wait`,
			end: func(t *testing.T, shell *exec.Cmd, _ int) { require.NoError(t, shell.Process.Kill()) },
		},
		{
			name: "SIGKILL", script: `exec "$@"`, next: true,
			end: func(t *testing.T, _ *exec.Cmd, test int) { require.NoError(t, unix.Kill(test, unix.SIGKILL)) },
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			shell, report := doom(t, c.script)
			require.NotEmpty(t, left(t, report))
			test, _ := strconv.Atoi(strings.Fields(report)[0])
			start := startOf(test)
			began := time.Now()
			c.end(t, shell, test)
			_ = shell.Wait()
			Until(t, time.Minute, "the test has ended", func() bool { return startOf(test) != start })
			t.Logf("it ended after %s", time.Since(began))
			if c.next {
				require.NotEmpty(t, left(t, report))
				NewNetwork(t)
				Folder(t)
				// A test of another process may be at it just now.
				Until(t, time.Minute, "it is cleaned up", func() bool { return len(left(t, report)) == 0 })
			}
			require.Empty(t, left(t, report))
		})
	}
}

// doom starts the test that is to be ended below a shell called go, and returns what it reports.
func doom(t *testing.T, script string) (*exec.Cmd, string) {
	t.Helper()
	sh, err := exec.LookPath("sh")
	require.NoError(t, err)
	goTest, ready := filepath.Join(t.TempDir(), "go"), filepath.Join(t.TempDir(), "ready")
	require.NoError(t, os.Symlink(sh, goTest))
	shell := exec.Command(goTest, "-c", script, "go", os.Args[0], "-test.run=^TestEnding_NothingIsLeft$")
	shell.Env = append(os.Environ(), doomed+"="+ready)
	shell.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := shell.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, shell.Start())
	said := make(chan struct{})
	var report []byte
	Until(t, time.Minute, "the test is ready", func() bool {
		report, err = os.ReadFile(ready)
		return err == nil
	})
	go func() {
		_, _ = io.CopyN(io.Discard, out, 1000)
		close(said)
	}()
	<-said
	return shell, string(report)
}

// left is what there still is of a report.
func left(t *testing.T, report string) []string {
	t.Helper()
	first, processes, _ := strings.Cut(report, "\n")
	fields := strings.Fields(first)
	var found []string
	for line := range strings.Lines(processes) {
		var pid int
		var start string
		_, err := fmt.Sscan(line, &pid, &start)
		require.NoError(t, err)
		if startOf(pid) == start {
			found = append(found, "process "+line)
		}
	}
	folder, name := fields[1], fields[2]
	l := find(t)
	for _, pattern := range []string{
		folder, filepath.Join(l.hosts(), name), namespacePath(name + ".*"), machinePath(name + "-*"),
		"/sys/fs/cgroup/" + name, "/sys/fs/cgroup/*/" + name,
	} {
		paths, err := filepath.Glob(pattern)
		require.NoError(t, err)
		found = append(found, paths...)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	require.NoError(t, err)
	if strings.Contains(string(mounts), name) {
		found = append(found, "a mount")
	}
	return found
}

// startOf is when a living process started, "" if there is none.
func startOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}
