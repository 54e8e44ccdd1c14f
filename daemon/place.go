package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// Place are the folders of one instance.
type Place struct {
	State string // kept over restarts: /var/lib/raynoded/NAME
	Run   string // while it runs: /run/raynoded/NAME, with ray.env
	Temp  string // Ray's, unless ray.temp_dir says another

	// This user's folder in /tmp, for those of the above that the environment puts nowhere; "" where
	// it is not wanted.
	own string
}

// UnitPlace returns the folders that systemd makes for the unit of the instance called name.
func UnitPlace(name string) Place {
	state := filepath.Join("/var/lib/raynoded", name)
	return Place{State: state, Run: filepath.Join("/run/raynoded", name), Temp: filepath.Join(state, "ray")}
}

// FindPlace returns the folders of the instance called name: systemd's where it made some, /var/lib
// and /run for root, and folders of their own for everybody else.
func FindPlace(name string, getenv func(string) string) Place {
	unit := UnitPlace(name)
	state, run := unit.State, unit.Run
	temp, own := "", ""
	if os.Getuid() != 0 && getenv("STATE_DIRECTORY") == "" {
		own = fmt.Sprintf("/tmp/raynoded-%d", os.Getuid())
		state, run, temp = filepath.Join(own, name), filepath.Join(own, name), filepath.Join(own, name, "ray")
		if base := getenv("XDG_STATE_HOME"); base != "" {
			state = filepath.Join(base, "raynoded", name)
		}
		if base := getenv("XDG_RUNTIME_DIR"); base != "" {
			run = filepath.Join(base, "raynoded", name)
		}
	}
	if dir := getenv("STATE_DIRECTORY"); dir != "" {
		state = dir
	}
	if dir := getenv("RUNTIME_DIRECTORY"); dir != "" {
		run = dir
	}
	if temp == "" {
		temp = filepath.Join(state, "ray")
	}
	return Place{State: state, Run: run, Temp: temp, own: own}
}

// EnvFile is where other units and people find the cluster.
func (p Place) EnvFile() string { return filepath.Join(p.Run, "ray.env") }

// ConfFile is where NCCL finds what is of this host alone. It has the same path on every host.
func (p Place) ConfFile() string { return filepath.Join(p.Run, "nccl.conf") }

// writeConf writes that file, or takes it away where there is nothing to say.
func (p Place) writeConf(text string) error {
	var err error
	if text == "" {
		err = remove(p.ConfFile())
	} else {
		err = replace(p.ConfFile(), []byte(text))
	}
	if err != nil {
		return unfit("the runtime folder", "cannot write nccl.conf: %w", err)
	}
	return nil
}

// ControlSocket is where commands reach the daemon.
func (p Place) ControlSocket() string { return filepath.Join(p.Run, "control.sock") }

// startLog is what `ray start` printed last.
func (p Place) startLog() string { return filepath.Join(p.State, "ray-start.log") }

// storeDir is where the GCS of a persistent head keeps its state.
func (p Place) storeDir() string { return filepath.Join(p.State, "gcs") }

// endFile is how the last run ended: systemd forgets STATUS= with the end of the process.
func (p Place) endFile() string { return filepath.Join(p.State, "last-end.json") }

// processFile names the processes that would be orphans if raynoded were killed.
func (p Place) processFile() string { return filepath.Join(p.State, "processes.json") }

func (p Place) tempDir(r *role.Role) string {
	if r.Ray.TempDir != "" {
		return r.Ray.TempDir
	}
	return p.Temp
}

// make makes the folders and proves that they can be written.
func (p Place) make() error {
	return errors.Join(
		p.folder("the state folder", p.State, "XDG_STATE_HOME"),
		p.folder("the runtime folder", p.Run, "XDG_RUNTIME_DIR"),
	)
}

// folder makes a folder that setting another moves elsewhere.
func (p Place) folder(key, dir, another string) error {
	if err := p.claim(dir); err != nil {
		return unfit(key, "%w, remove it or set %s", err, another)
	}
	return writable(key, dir)
}

// makeTemp makes Ray's folder, which must be short and writable.
func (p Place) makeTemp(r *role.Role) error {
	dir := p.tempDir(r)
	if len(dir) > ray.MaxTempDir {
		return unfit(
			"ray.temp_dir", "%s is %d bytes long, at most %d leave room for Ray's Unix sockets: set a shorter one", dir,
			len(dir), ray.MaxTempDir,
		)
	}
	if err := p.folder("ray.temp_dir", dir, "ray.temp_dir"); err != nil {
		return err
	}
	return room("ray.temp_dir", dir)
}

// makeStore makes the folder for a persistent head's state, which is for nobody else to read:
// environments of jobs are in it.
func (p Place) makeStore() error {
	if err := os.MkdirAll(p.storeDir(), 0o700); err != nil {
		return unfit("the state folder", "cannot make the folder: %w", err)
	}
	return writable("the state folder", p.storeDir())
}

func writable(key, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return unfit(key, "cannot make the folder: %w", err)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return unfit(key, "cannot write to %s as uid %d: %w", dir, os.Getuid(), err)
	}
	return nil
}

// room proves that the disk takes what is written: a full one lets everything else be done.
func room(key, dir string) error {
	f, err := os.CreateTemp(dir, ".raynoded-")
	if err == nil {
		_, err = f.Write(make([]byte, os.Getpagesize()))
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	var errno syscall.Errno
	switch {
	case err == nil:
		return nil
	case errors.As(err, &errno):
		err = errno
	}
	return unfit(key, "cannot write to %s as uid %d: %w", dir, os.Getuid(), err)
}

// End is how a run ended, as last-end.json keeps it.
type End struct {
	Time   time.Time `json:"time"`
	Role   string    `json:"role"`
	Reason string    `json:"reason"`
	Code   int       `json:"exit_code"`
}

// Record keeps how the run ended. A folder that was never made keeps nothing.
func (p Place) Record(e End) error {
	if err := p.trust(p.State); err != nil {
		return err
	}
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	return replace(p.endFile(), append(text, '\n'))
}

// RecordRefused is Record for a run that ends before it holds the lock: the record of a raynoded
// that runs stays.
func (p Place) RecordRefused(e End) error {
	if err := p.trust(p.State); err != nil {
		return err
	}
	lock, err := p.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	return p.Record(e)
}

// replace writes a file in one step: a reader sees the old one or the new one.
func replace(path string, content []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}
