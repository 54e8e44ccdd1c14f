package child

import "golang.org/x/sys/unix"

// Of linux/ioprio.h, which x/sys does not have.
const (
	ioprioWhoProcess = 1
	ioprioClassIdle  = 3
	ioprioClassShift = 13
)

// lowest is the lowest priority that setpriority(2) knows.
const lowest = 19

// lowerPriority lets everybody else come before a process that has just been started, and before
// all that it will start. A kernel that does not do so is no reason not to have it run.
func lowerPriority(pid int) {
	_ = unix.Setpriority(unix.PRIO_PROCESS, pid, lowest)
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(pid), ioprioClassIdle<<ioprioClassShift)
}
