package host

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/raynoded/raynoded/daemon/role"
)

// Dirs are the folders of one instance.
type Dirs struct {
	State string // kept over restarts: /var/lib/raynoded/NAME
	Run   string // while it runs: /run/raynoded/NAME, with ray.env
	Temp  string // Ray's, unless ray.temp_dir names another

	// This user's folder in /tmp, for the folders above that the environment puts nowhere else; ""
	// = not needed.
	private string
}

// UnitDirs returns the folders that systemd makes for the unit of an instance.
func UnitDirs(instance string) Dirs {
	state := filepath.Join("/var/lib/raynoded", instance)
	return Dirs{State: state, Run: filepath.Join("/run/raynoded", instance), Temp: filepath.Join(state, "ray")}
}

// FindDirs returns the folders of an instance: those that systemd made, if any; else /var/lib and
// /run for root, and folders of their own for other users.
func FindDirs(instance string, getenv func(string) string) Dirs {
	unit := UnitDirs(instance)
	state, run := unit.State, unit.Run
	temp, private := "", ""
	if os.Getuid() != 0 && getenv("STATE_DIRECTORY") == "" {
		private = fmt.Sprintf("/tmp/raynoded-%d", os.Getuid())
		state, run = filepath.Join(private, instance), filepath.Join(private, instance)
		temp = filepath.Join(private, instance, "ray")
		if base := getenv("XDG_STATE_HOME"); base != "" {
			state = filepath.Join(base, "raynoded", instance)
		}
		if base := getenv("XDG_RUNTIME_DIR"); base != "" {
			run = filepath.Join(base, "raynoded", instance)
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
	return Dirs{State: state, Run: run, Temp: temp, private: private}
}

// RayEnv is the file by which other units and people find the cluster.
func (d Dirs) RayEnv() string { return filepath.Join(d.Run, "ray.env") }

// NCCLConf is the file by which NCCL gets the values of this host alone. It has the same path on
// every host.
func (d Dirs) NCCLConf() string { return filepath.Join(d.Run, "nccl.conf") }

// ControlSocket is where commands reach the daemon.
func (d Dirs) ControlSocket() string { return filepath.Join(d.Run, "control.sock") }

// RayToken is the copy of the token that Ray is given. See WriteRayToken.
func (d Dirs) RayToken() string { return filepath.Join(d.Run, "ray-token") }

// StartLog is what `ray start` printed last.
func (d Dirs) StartLog() string { return filepath.Join(d.State, "ray-start.log") }

// Processes names the processes that would be orphans if raynoded were killed.
func (d Dirs) Processes() string { return filepath.Join(d.State, "processes.json") }

// store is where the GCS of a persistent head keeps its state.
func (d Dirs) store() string { return filepath.Join(d.State, "gcs") }

// lastEnd says how the last run ended: systemd forgets STATUS= with the end of the process.
func (d Dirs) lastEnd() string { return filepath.Join(d.State, "last-end.json") }

// temp is Ray's folder under a role.
func (d Dirs) temp(r *role.Role) string {
	if r.Ray.TempDir != "" {
		return r.Ray.TempDir
	}
	return d.Temp
}

// UnitName is the systemd unit of an instance, as the package ships them.
func UnitName(instance string) string {
	if instance == "role" {
		return "raynoded.service"
	}
	return "raynoded@" + instance + ".service"
}
