package fakeray

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Folder is where the programs of one cluster leave their notes. It need not exist before Install.
type Folder string

// Process is what a program noted when it started.
type Process struct {
	Program string // such as "ray start", "gcs_server", "raylet", "dashboard", "actor"
	PID     int
	Started string // as /proc/PID/stat has it; with the PID it names one process for good
	Args    []string
	Env     []string
}

// Install makes a `ray` program in the folder that is this very binary, by way of a Python of its
// own, and returns where it is.
func (f Folder) Install() (bin string, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	bin = f.path("bin", "ray")
	script := "#!" + f.path("bin", "python3") + "\n"
	for _, dir := range []string{"bin", "nodes", "processes"} {
		err = errors.Join(err, os.MkdirAll(f.path(dir), 0o755))
	}
	for _, name := range []string{"python3", "gcs_server", "raylet"} {
		err = errors.Join(err, os.Symlink(self, f.path("bin", name)))
	}
	return bin, errors.Join(err, os.WriteFile(bin, []byte(script), 0o755))
}

// Env is what the environment of raynoded needs for the programs to find the folder.
func (f Folder) Env() string { return "FAKERAY_DIR=" + string(f) }

// Processes are all that ever started, alive or not.
func (f Folder) Processes() ([]Process, error) { return read[Process](f.path("processes")) }

// Find returns those of a program that live.
func (f Folder) Find(program string) ([]Process, error) {
	all, err := f.Processes()
	return slices.DeleteFunc(all, func(p Process) bool { return p.Program != program || !p.Alive() }), err
}

// Farewells are the programs that were asked to stop and did, in that order.
func (f Folder) Farewells() ([]string, error) {
	text, err := os.ReadFile(f.path("farewells"))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return strings.Fields(string(text)), err
}

// Alive says whether the process runs; a zombie does not.
func (p Process) Alive() bool {
	started, state := stat(p.PID)
	return started == p.Started && state != "Z" && state != "X"
}

func (f Folder) path(parts ...string) string {
	return filepath.Join(append([]string{string(f)}, parts...)...)
}

// enter notes that this process has started.
func (f Folder) enter(name string) {
	started, _ := stat(os.Getpid())
	p := Process{Program: name, PID: os.Getpid(), Started: started, Args: os.Args, Env: os.Environ()}
	if err := write(f.path("processes", strconv.Itoa(p.PID)+"-"+started), p); err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
}

// untilTerm waits until this process is asked to stop, and notes it.
func (f Folder) untilTerm(name string) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGTERM)
	<-came
	f.leave(name)
}

func (f Folder) leave(name string) {
	out, err := os.OpenFile(f.path("farewells"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer out.Close()
	_, _ = fmt.Fprintln(out, name)
}

// stat reads when a process started and its state; both "" if there is none.
func stat(pid int) (started, state string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if err != nil || len(fields) < 20 {
		return "", ""
	}
	return fields[19], fields[0]
}

// write writes a note in one step: a reader sees all of it or none.
func write(path string, note any) error {
	text, err := json.Marshal(note)
	if err != nil {
		return err
	}
	half := fmt.Sprintf("%s/.%s.%d", filepath.Dir(path), filepath.Base(path), os.Getpid())
	if err := os.WriteFile(half, text, 0o644); err != nil {
		return err
	}
	return os.Rename(half, path)
}

// read reads all notes of one kind. A folder that is missing has none.
func read[T any](dir string) ([]T, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var all []T
	for _, e := range entries {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		var note T
		if err := json.Unmarshal(text, &note); err != nil {
			return nil, err
		}
		all = append(all, note)
	}
	return all, nil
}

// until looks often and returns true once done is; false after a minute.
func until(done func() bool) bool {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}
