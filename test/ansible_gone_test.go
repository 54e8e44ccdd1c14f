//go:build systemd

package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// standIns are what upgrade.yml uses, with a look that finds each host stale, and a restart in whose midst a host is gone.
var standIns = map[string]string{
	"site.yml": "- hosts: raynoded\n  gather_facts: false\n  tasks: []\n",
	"roles/raynoded/tasks/look.yml": `
- name: Note what runs
  ansible.builtin.set_fact: {raynoded_kind: "{{ kind }}", raynoded_runs: true, raynoded_stale: true}
`,
	"roles/raynoded/tasks/restart.yml": `
- name: Stop the node
  ansible.builtin.command: "true"
- name: Start it again
  ansible.builtin.command: "true"
  vars: {ansible_connection: "{{ way }}", ansible_host: 127.0.0.1, ansible_port: 1}
`,
}

// standInFleet is four workers and a head that are all this machine, on which upgrade.yml does nothing.
func standInFleet(t *testing.T) *fleet {
	t.Helper()
	lab.Need(t, lab.Program("ssh"))
	l, err := lab.Find()
	require.NoError(t, err)
	f := &fleet{
		program: lab.Ansible(t, "ansible-playbook"), books: t.TempDir(), dir: t.TempDir(),
		own: map[string]map[string]any{"a": {"kind": "head"}},
		vars: map[string]any{
			"ansible_connection": "local", "ansible_become": false, "ansible_python_interpreter": "{{ ansible_playbook_python }}",
			"kind": "worker", "way": "local",
		},
	}
	for _, worker := range []string{"b", "c", "d", "e"} {
		f.own[worker] = map[string]any{}
	}
	upgrade, err := os.ReadFile(filepath.Join(l.Checkout, "packaging/ansible/upgrade.yml"))
	require.NoError(t, err)
	files := maps.Clone(standIns)
	files["upgrade.yml"] = string(upgrade)
	for name, text := range files {
		path := filepath.Join(f.books, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return f
}

// became are the hosts of which a task became one thing.
func (p played) became(task, what string) []string {
	var hosts []string
	for _, r := range p.results {
		if r.Task == task && r.Became == what {
			hosts = append(hosts, r.Host)
		}
	}
	slices.Sort(hosts)
	return hosts
}

// TestAnsible_Unreachable loses the way to a worker while it is restarted: those of its batch come back, and nothing else is
// stopped, which any_errors_fatal does not see to.
func TestAnsible_Unreachable(t *testing.T) {
	f := standInFleet(t)
	const begins, ends, before, all = "Stop the node", "Start it again", "Insist on those before", "Insist on all workers"
	for _, c := range []struct {
		gone         string
		serial       int
		begun, ended []string
		refused      map[string][]string // by task
	}{
		{"none", 1, []string{"a", "b", "c", "d", "e"}, []string{"a", "b", "c", "d", "e"}, nil},
		{"b", 1, []string{"b"}, nil, nil}, // Ansible itself ends where all of a batch are gone
		{"c", 1, []string{"b", "c"}, []string{"b"}, nil},
		{"e", 1, []string{"b", "c", "d", "e"}, []string{"b", "c", "d"}, nil},
		{"c", 2, []string{"b", "c"}, []string{"b"}, map[string][]string{before: {"d", "e"}}},
		{"c", 3, []string{"b", "c", "d"}, []string{"b", "d"}, map[string][]string{before: {"e"}}},
		{"e", 2, []string{"b", "c", "d", "e"}, []string{"b", "c", "d"}, map[string][]string{all: {"a", "b", "c", "d"}}},
		{"e", 4, []string{"b", "c", "d", "e"}, []string{"b", "c", "d"}, map[string][]string{all: {"a", "b", "c", "d"}}},
	} {
		t.Run(fmt.Sprintf("%s of batches of %d", c.gone, c.serial), func(t *testing.T) {
			if own, found := f.own[c.gone]; found {
				own["way"] = "ssh"
				defer delete(own, "way")
			}
			p := f.play(t, "upgrade.yml", "--extra-vars=raynoded_restart_head=true", fmt.Sprintf("--extra-vars=raynoded_serial=%d", c.serial))
			require.Equal(t, c.gone == "none", p.code == 0)
			require.Equal(t, c.begun, p.became(begins, "changed"))
			require.Equal(t, c.ended, p.became(ends, "changed"))
			for _, task := range []string{before, all} {
				require.Equal(t, c.refused[task], p.became(task, "failed"))
				for _, host := range c.refused[task] {
					require.Contains(t, p.text(host, task), "Not back: "+c.gone+". ")
				}
			}
		})
	}
}
