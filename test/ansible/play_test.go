//go:build systemd

package ansible

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// fleet is hosts that Ansible manages, with nothing installed on them before it does.
type fleet struct {
	hosts []*host.Host
	// vars are those of all hosts, own those of one; each play reads them anew.
	vars map[string]any
	own  map[string]map[string]any

	program string // ansible-playbook
	books   string // the folder of the playbooks
	dir     string // of the inventory, and all that Ansible would write on the machine
}

func bootFleet(t *testing.T, root string, names ...string) *fleet {
	t.Helper()
	f := &fleet{
		program: lab.Ansible(t, "ansible-playbook"),
		books:   lab.File(t, "packaging/ansible"),
		dir:     t.TempDir(),
		own:     map[string]map[string]any{},
		vars: map[string]any{
			"ansible_connection":         "lab",
			"ansible_become":             false,
			"ansible_python_interpreter": "/usr/bin/python3",
			"raynoded_package":           lab.Package(t),
		},
	}
	f.hosts = host.BootBare(t, host.Named(root, names...)...)
	for _, h := range f.hosts {
		enter, err := h.Command(t.Context())
		require.NoError(t, err)
		f.own[h.Name] = map[string]any{"lab_enter": slices.Concat(enter.Args, []string{"env", "-i"}, enter.Env)}
	}
	return f
}

// taskEnd is what became of a task on a host, as the callback plugin of the lab prints it.
type taskEnd struct {
	Host, Task, Became, Text string
	Recap                    map[string]recap
}

// recap is Ansible's own count of a host.
type recap struct{ Ok, Failures, Unreachable, Changed, Skipped int }

// played is a play that has ended.
type played struct {
	code    int
	output  string
	results []taskEnd
	recap   map[string]recap
}

// play runs a playbook to its end, whichever that is.
func (f *fleet) play(t *testing.T, book string, args ...string) played {
	t.Helper()
	args = append([]string{"--inventory=" + f.inventory(t), filepath.Join(f.books, book)}, args...)
	cmd := exec.CommandContext(t.Context(), f.program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = f.dir, f.environment(t), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	require.True(t, err == nil || errors.As(err, &exit), "%v", err)
	p := played{code: cmd.ProcessState.ExitCode(), output: stdout.String() + stderr.String()}
	for line := range strings.Lines(stdout.String()) {
		var r taskEnd
		if json.Unmarshal([]byte(line), &r) != nil {
			continue // a warning
		}
		if r.Recap != nil {
			p.recap = r.Recap
		} else {
			p.results = append(p.results, r)
		}
	}
	t.Logf("%s %s: exit %d, recap %v\n%s%s", book, strings.Join(args[2:], " "), p.code, p.recap, p.told(), stderr.String())
	return p
}

// plays runs a playbook that must end well on each host.
func (f *fleet) plays(t *testing.T, book string, args ...string) played {
	t.Helper()
	p := f.play(t, book, args...)
	require.Zero(t, p.code)
	require.NotEmpty(t, p.recap)
	for host, r := range p.recap {
		require.Zero(t, r.Failures+r.Unreachable, host)
	}
	return p
}

// told lists what was changed, failed, or said in words.
func (p played) told() string {
	var b strings.Builder
	for _, r := range p.results {
		if r.Became != "ok" {
			b.WriteString(strings.Join([]string{r.Host, r.Became, r.Task, r.Text}, ": ") + "\n")
		}
	}
	return b.String()
}

// changed are the tasks that changed a host, by Ansible's own word.
func (p played) changed(host string) []string {
	tasks := []string{}
	for _, r := range p.results {
		if r.Host == host && r.Became == "changed" {
			tasks = append(tasks, r.Task)
		}
	}
	return tasks
}

// text is what a task said on a host; "" if it did not run there.
func (p played) text(host, task string) string {
	for _, r := range p.results {
		if r.Host == host && r.Task == task {
			return r.Text
		}
	}
	return ""
}

// requireUnchanged is a play that found everything as it should be.
func (p played) requireUnchanged(t *testing.T) {
	t.Helper()
	for host, r := range p.recap {
		require.Zero(t, r.Changed, "%s: %v", host, p.changed(host))
	}
}

// inventory writes the inventory as it is now, and returns its path. YAML takes JSON.
func (f *fleet) inventory(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"raynoded": map[string]any{"hosts": f.own, "vars": f.vars}})
	require.NoError(t, err)
	path := filepath.Join(f.dir, "hosts.yml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	return path
}

// environment has Ansible use the plugins of the lab, and keep what it writes in the test's folder.
func (f *fleet) environment(t *testing.T) []string {
	t.Helper()
	plugins := lab.File(t, "test/ansible")
	settings := map[string]string{
		"PATH":                         filepath.Dir(f.program) + ":" + os.Getenv("PATH"),
		"HOME":                         f.dir,
		"LANG":                         "C.UTF-8",
		"PYTHONDONTWRITEBYTECODE":      "1",
		"ANSIBLE_CONFIG":               filepath.Join(f.dir, "ansible.cfg"),
		"ANSIBLE_HOME":                 f.dir,
		"ANSIBLE_PIPELINING":           "1",
		"ANSIBLE_CONNECTION_PLUGINS":   filepath.Join(plugins, "connection_plugins"),
		"ANSIBLE_CALLBACK_PLUGINS":     filepath.Join(plugins, "callback_plugins"),
		"ANSIBLE_STDOUT_CALLBACK":      "lab",
		"ANSIBLE_LOCALHOST_WARNING":    "0",
		"ANSIBLE_DEPRECATION_WARNINGS": "1",
	}
	require.NoError(t, os.WriteFile(settings["ANSIBLE_CONFIG"], nil, 0o600))
	var environment []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		environment = append(environment, name+"="+settings[name])
	}
	return environment
}
