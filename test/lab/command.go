package lab

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Command prepares a program inside of the host, as its root, in / and with
// [environment] only. The program counts as the host's: it is in a cgroup of
// the host, and ends with it. When ctx is done it is killed.
//
// The [exec.Cmd] is nsenter: to signal the program itself, use [Node.Start].
func (n *Node) Command(ctx context.Context, argv ...string) (*exec.Cmd, error) {
	leader, err := n.leader()
	if err != nil {
		return nil, err
	}
	cgroup, err := n.commandCgroup(leader)
	if err != nil {
		return nil, err
	}
	// --wd is the folder of PID 1, that is /; --wd=/ would be the machine's.
	enter := []string{"nsenter", "--target", strconv.Itoa(leader),
		"--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--root", "--wd", "--"}
	command := func(name string, arguments ...string) *exec.Cmd {
		return exec.CommandContext(ctx, name, arguments...)
	}
	cmd := inCgroup(command, cgroup, append(enter, argv...)...)
	cmd.Env = environment()
	// nsenter waits outside for the program, which is its child inside; killed
	// alone it would leave the program running.
	cmd.Cancel = func() error {
		if pid, err := entered(cmd); err == nil {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		return cmd.Process.Kill()
	}
	return cmd, nil
}

// environment is that of every program in a host: nothing of the machine's.
func environment() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root",
		"LANG=C.UTF-8",
		"RAY_USAGE_STATS_ENABLED=0",
	}
}

// inCgroup makes the command start in the cgroup, and in a session of its own,
// so that Ctrl-C reaches the test only.
func inCgroup(command func(string, ...string) *exec.Cmd, dir string, argv ...string) *exec.Cmd {
	procs := filepath.Join(dir, "cgroup.procs")
	cmd := command("sh", append([]string{"-c", `echo 0 >"$0" && exec "$@"`, procs}, argv...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// commandCgroup is where commands of the lab run. Beside a systemd they get one
// that no unit has: entering a cgroup namespace does not move a process, so
// they would otherwise stay outside of the host.
func (n *Node) commandCgroup(leader int) (string, error) {
	root, err := n.rootCgroup(leader)
	if err != nil {
		return "", err
	}
	if root == n.cgroup {
		return root, nil
	}
	dir := filepath.Join(root, "lab")
	if err := unix.Mkdir(dir, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
		return "", fmt.Errorf("cannot make %s: %w", dir, err)
	}
	return dir, nil
}

// rootCgroup is what the host sees as the root of its cgroups. systemd has put
// itself into init.scope below it.
func (n *Node) rootCgroup(leader int) (string, error) {
	path, err := cgroupOf(fmt.Sprintf("/proc/%d", leader))
	if err != nil {
		return "", err
	}
	if filepath.Base(path) == "init.scope" {
		path = filepath.Dir(path)
	}
	tree, err := cgroupMount()
	return filepath.Join(tree, path), err
}

// entered is the program behind a running nsenter, by the machine's number.
func entered(cmd *exec.Cmd) (int, error) {
	children, err := childrenOf(cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	if len(children) == 0 {
		return 0, fmt.Errorf("%d has no child", cmd.Process.Pid)
	}
	return children[0], nil
}
