//go:build ray

package gcs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const inside = "GCS_TEST_INSIDE"

// TestMain runs the tests as process 1 of namespaces of their own: processes,
// network and mounts. Ray's fixed ports collide with nobody's, and whatever
// happens, nothing of it outlives the test: the kernel kills it.
func TestMain(m *testing.M) {
	if os.Getenv(inside) == "" {
		os.Exit(again())
	}
	err := errors.Join(
		unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""),
		setLoopback(true),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot set up the namespaces:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func again() int {
	runtime.LockOSThread() // Pdeathsig is the thread's
	self := exec.Command("/proc/self/exe", os.Args[1:]...)
	self.Stdin, self.Stdout, self.Stderr = os.Stdin, os.Stdout, os.Stderr
	self.Env = append(os.Environ(), inside+"=1")
	self.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:   unix.CLONE_NEWPID | unix.CLONE_NEWNET,
		Unshareflags: unix.CLONE_NEWNS, // this one also makes our mounts private
		Pdeathsig:    unix.SIGKILL,
	}
	err := self.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode()
	case errors.Is(err, os.ErrPermission):
		fmt.Println("SKIP: the tests with real Ray need root for namespaces:", err)
	case err != nil:
		fmt.Fprintln(os.Stderr, "cannot start the tests in namespaces:", err)
		return 1
	}
	return 0
}
