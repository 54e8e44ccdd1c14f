package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// part is the variable that makes the test binary one of the processes under test.
const part = "RAYNODED_TEST_PART"

// partEnv is the environment of a part. The race detector would have it sleep a second before it
// exits.
var partEnv = []string{part + "=1", "GORACE=atexit_sleep_ms=0"}

func TestMain(m *testing.M) {
	if os.Getenv(part) != "" {
		play(os.Args[1], os.Args[2:])
		os.Exit(0)
	}
	code := m.Run()
	if err := leaks(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "the suite left behind:", err)
		code = 1
	}
	os.Exit(code)
}

// leaks looks for goroutines, children and cgroups of the suite.
func leaks() error {
	var found error
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		if strings.Contains(stack, "raynoded/daemon/child.") && !strings.Contains(stack, "child.TestMain") {
			found = errors.Join(found, errors.New(stack))
		}
	}
	left, err := children(os.Getpid())
	for _, s := range left {
		found = errors.Join(found, fmt.Errorf("process %d (%s)", s.pid, s.comm))
	}
	cgroups, globErr := filepath.Glob(filepath.Join(findParentCgroup().dir, fmt.Sprintf("ray-%d-*", os.Getpid())))
	for _, dir := range cgroups {
		found = errors.Join(found, errors.New(dir))
	}
	return errors.Join(found, err, globErr)
}

// play is the processes' side. A part prints one line as soon as it can be tested.
func play(part string, args []string) {
	switch part {
	case "exit": // with a code
		os.Exit(number(args[0]))
	case "sleep": // until a signal
		say("ready")
		time.Sleep(time.Hour)
	case "deaf": // to SIGTERM
		signal.Ignore(syscall.SIGTERM)
		say("ready")
		time.Sleep(time.Hour)
	case "obey": // end with a code as SIGTERM comes
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		say("ready")
		<-asked
		os.Exit(number(args[0]))
	case "slow": // end some milliseconds after SIGTERM, and say so
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		say("ready " + args[0])
		<-asked
		say("asked " + args[0])
		time.Sleep(time.Duration(number(args[1])) * time.Millisecond)
		say("ended " + args[0])
	case "parent": // start the part that the arguments name and never wait for it
		name(args, start(false, args))
		time.Sleep(time.Hour)
	case "leave": // start the part that the arguments name in a session of its own, and end
		name(args, start(true, args))
	case "waiter": // start the part that the arguments name, wait for it, and say so
		cmd := start(false, args)
		name(args, cmd)
		_ = cmd.Wait()
		say("reaped")
		time.Sleep(time.Hour)
	case "limit": // print the soft limit of open files
		var l syscall.Rlimit
		_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l)
		say(fmt.Sprint(l.Cur, " ", l.Max))
	case "where": // print what one is born with
		cgroup, _ := os.ReadFile("/proc/self/cgroup")
		in, _ := os.Readlink("/proc/self/fd/0")
		dir, _ := os.Getwd()
		sid, _ := unix.Getsid(0)
		say(fmt.Sprintf("%q %s %s %t %q", cgroup, in, dir, sid == os.Getpid(), os.Environ()))
	case "orphans": // fork twice, some times, with short lives
		for range number(args[0]) {
			forkTwice()
		}
		say("done")
	case "crowd": // fork some times; the children only wait
		for range number(args[0]) {
			forkIdle()
		}
		say("ready")
		time.Sleep(time.Hour)
	case "storm": // chains of processes that fork and end, as fast as they can
		for range number(args[0]) {
			forkChain(len(args) > 1)
		}
		say("ready")
		time.Sleep(time.Hour)
	}
}

func say(line string) { fmt.Println(line) }

// name says what was started as which process, which has to be alive or a zombie.
func name(args []string, cmd *exec.Cmd) {
	s, err := readStat(cmd.Process.Pid)
	if err != nil {
		panic(err)
	}
	say(fmt.Sprintf("%s is %d since %d", args[0], s.pid, s.started))
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// start starts a part from a part.
func start(session bool, args []string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Stdout = os.Stdout
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	return cmd
}

// What follows forks without exec. Such a child has one thread and no Go runtime, and may only make
// raw system calls.

//go:norace
//go:nosplit
func fork() uintptr {
	pid, _, _ := unix.RawSyscall6(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0, 0, 0, 0)
	return pid
}

//go:norace
//go:nosplit
func quit() { unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0) }

//go:norace
//go:nosplit
func idle() {
	for {
		unix.RawSyscall6(unix.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
	}
}

// forkTwice leaves an orphan.
//
//go:norace
//go:nosplit
func forkTwice() {
	pid := fork()
	if pid == 0 {
		fork()
		quit()
	}
	unix.RawSyscall6(unix.SYS_WAIT4, pid, 0, 0, 0, 0, 0)
}

//go:norace
//go:nosplit
func forkIdle() {
	if fork() == 0 {
		idle()
	}
}

// forkChain makes a process that forks and ends, and so does its child, for ever.
//
//go:norace
//go:nosplit
func forkChain(sessions bool) {
	if fork() != 0 {
		return
	}
	for {
		if fork() != 0 {
			quit()
		}
		if sessions {
			unix.RawSyscall(unix.SYS_SETSID, 0, 0, 0)
		}
	}
}
