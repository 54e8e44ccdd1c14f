package host

import (
	"errors"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// JobProgram is the program of a [job] with a command, as its environment finds it. The error says
// what is wrong with it and with the folder that it runs in.
func JobProgram(j role.Job, env []string) (string, error) {
	path, err := findProgram(j.Command[0], j.Dir, env)
	return path, errors.Join(enterable(j.Dir), err)
}

// enterable says whether a program can run in a folder; "" is where raynoded is.
func enterable(dir string) error {
	if dir == "" {
		return nil
	}
	if err := unix.Access(dir+"/.", unix.X_OK); err != nil {
		return reason.Unfit(
			"job.dir", "cannot enter %s: %w: make the folder, let this user into it or name another", dir, err,
		)
	}
	return nil
}

// findProgram looks a program up as a shell in dir would, with the PATH of env.
func findProgram(name, dir string, env []string) (string, error) {
	switch {
	case filepath.IsAbs(name):
		return name, executable(name)
	case strings.Contains(name, "/"):
		return name, executable(filepath.Join(dir, name))
	}
	search, _ := environ.Lookup(env, "PATH")
	for _, dir := range filepath.SplitList(search) {
		if path := filepath.Join(dir, name); executable(path) == nil {
			return path, nil
		}
	}
	return "", reason.Unfit("job.command", "there is no program %s in %s", name, search)
}

func executable(path string) error {
	if err := unix.Access(path, unix.X_OK); err != nil {
		return reason.Unfit("job.command", "cannot run %s: %w", path, err)
	}
	return nil
}
