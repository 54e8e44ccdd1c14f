package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// killMarked kills every process that belongs to a folder, and waits for the end of all.
func killMarked(dir string) error {
	const pause = 5 * time.Millisecond
	for limit := newPatience(20 * time.Second); ; time.Sleep(pause) {
		left, err := eachMarked(dir, func(pidfd int) error { return unix.PidfdSendSignal(pidfd, unix.SIGKILL, nil, 0) })
		if err != nil || len(left) == 0 {
			return err
		}
		if limit.over() {
			return fmt.Errorf("processes of %s are still there after SIGKILL: %v", dir, left)
		}
	}
}

// eachMarked visits the processes that belong to a folder and returns their numbers.
func eachMarked(dir string, visit func(pidfd int) error) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var found []int
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil || pid == os.Getpid() {
			continue
		}
		// Opened before it is looked at: the number may be another's a moment later.
		pidfd, err := unix.PidfdOpen(pid, 0)
		if err != nil {
			continue
		}
		if isMarked(path, dir) {
			if err = visit(pidfd); err == nil {
				found = append(found, pid)
			}
		}
		unix.Close(pidfd)
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return found, fmt.Errorf("process %d of %s: %w", pid, dir, err)
		}
	}
	return found, nil
}

// isMarked says whether a process belongs to a folder: its environment names it or, where it has no
// terminal, its command line. A person may look at the folder with a pager, from a shell in it.
func isMarked(proc, dir string) bool {
	stat, err := os.ReadFile(filepath.Join(proc, "stat"))
	if err != nil {
		return false
	}
	// proc_pid_stat(5) after the name in brackets: state, parent, group, session, terminal.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if fields[0] == "Z" || fields[0] == "X" {
		return false
	}
	environ, _ := os.ReadFile(filepath.Join(proc, "environ"))
	named := slices.ContainsFunc(strings.Split(string(environ), "\x00"), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return !slices.Contains([]string{"PWD", "OLDPWD", "TMPDIR", "_"}, name) && names(entry, dir)
	})
	if named || fields[4] != "0" {
		return named
	}
	line, _ := os.ReadFile(filepath.Join(proc, "cmdline"))
	return slices.ContainsFunc(strings.Split(string(line), "\x00"), func(word string) bool { return names(word, dir) })
}

func names(text, dir string) bool {
	return strings.HasSuffix(text, dir) || strings.Contains(text, dir+"/")
}
