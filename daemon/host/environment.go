package host

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/role"
)

// Environment is what Ray and the job would get if a node of the role started now.
type Environment struct {
	Kind      role.Kind `json:"role"`
	Files     []string  `json:"files"`     // the role file and its drop-ins
	Address   string    `json:"node_ip"`   // "" = not known, or a single host
	Interface string    `json:"interface"` // that has it; "" = none, or only the loopback one
	ConfFile  string    `json:"nccl_conf_file"`
	environ.Result
	Unknown error `json:"-"` // why the node's address is not known; nil = it is, or a single host needs none
}

// FindEnvironment makes the environment without a daemon. env is the environment of this process.
// If the node's address cannot be found out, that is a warning in the result, and Unknown.
func FindEnvironment(ctx context.Context, r *role.Role, dirs Dirs, env []string) (Environment, error) {
	decided, undecided := DecideNow(ctx, r)
	if undecided != nil {
		decided = r
	}
	sources, err := ReadSources(decided, dirs, env)
	if err != nil {
		return Environment{}, err
	}
	ip, unknown := NodeIP(ctx, decided)
	token, _ := tokenFile(decided, credentials(decided)) // that there is none is for the start to complain about
	sources.Address, sources.Interface = ip, InterfaceOf(ip)
	if decided.Kind != role.Single {
		sources.Node = dirs.Node(decided, token).Env()
	}
	e := Environment{
		Kind: decided.Kind, Files: r.Files, Address: ip, Interface: sources.Interface, ConfFile: dirs.NCCLConf(),
		Result: environ.Resolve(sources),
	}
	if err := cmp.Or(undecided, unknown); err != nil {
		e.Unknown = fmt.Errorf("this node's address is not known, so nothing is derived from it: %w", err)
		e.Warnings = append(e.Warnings, e.Unknown.Error())
	}
	return e, nil
}

// Compare compares the environment of a running process with this one, which must be known.
func (e Environment) Compare(pid int) ([]environ.Difference, error) {
	process, err := processEnv(pid)
	if err != nil {
		return nil, err
	}
	path, _ := environ.Lookup(process, "NCCL_CONF_FILE")
	conf, err := os.ReadFile(filepath.Join(procDir(pid), "root", path)) // as the process sees it
	if err != nil {
		conf = nil // what should be in it is reported as missing
	}
	return e.Result.Compare(process, string(conf)), nil
}

// processEnv is the environment that a process was started with.
func processEnv(pid int) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(procDir(pid), "environ"))
	if err != nil {
		return nil, fmt.Errorf("cannot read the environment of process %d: %w", pid, err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00"), nil
}

func procDir(pid int) string { return filepath.Join("/proc", strconv.Itoa(pid)) }
