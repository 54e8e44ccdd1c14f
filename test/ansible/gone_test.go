//go:build systemd

package ansible

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

// standIns are what upgrade.yml and ray.yml use, with a look that finds each host stale or fails,
// and a restart in whose midst a host is gone.
var standIns = map[string]string{
	"site.yml": "- hosts: raynoded\n  gather_facts: false\n  tasks: []\n",
	"roles/raynoded/tasks/look.yml": `
- name: Note what runs
  ansible.builtin.set_fact: {raynoded_kind: "{{ kind }}", raynoded_runs: true, raynoded_up: true, raynoded_stale: true}
  failed_when: unseen is defined
`,
	"roles/raynoded/tasks/nodes.yml": `
- name: List the nodes
  ansible.builtin.set_fact: {raynoded_nodes: {stdout: "{{ nodes }}", stdout_lines: "{{ nodes.splitlines() }}"}}
`,
	"roles/raynoded/tasks/restart.yml": `
- name: Stop the node
  ansible.builtin.command: "true"
- name: Start it again
  ansible.builtin.command: "true"
  vars: {ansible_connection: "{{ way }}", ansible_host: 127.0.0.1, ansible_port: 1}
`,
}

// standInFleet is four workers and a head that are all this machine, on which the playbooks do
// nothing: ray.yml with --check.
func standInFleet(t *testing.T) *fleet {
	t.Helper()
	lab.Need(t, lab.Program("ssh"))
	l, err := lab.Find()
	require.NoError(t, err)
	f := &fleet{
		program: lab.Ansible(t, "ansible-playbook"), books: t.TempDir(), dir: t.TempDir(),
		own: map[string]map[string]any{"a": {"kind": "head"}},
		vars: map[string]any{
			"ansible_connection": "local", "ansible_become": false, "ansible_python_interpreter": "{{ " +
				"ansible_playbook_python }}",
			"kind": "worker", "way": "local",
			"nodes": "raynoded.service loaded active running A node", "raynoded_ray_version": "0.0.1",
		},
	}
	for _, worker := range []string{"b", "c", "d", "e"} {
		f.own[worker] = map[string]any{}
	}
	files := maps.Clone(standIns)
	for _, book := range []string{"upgrade.yml", "ray.yml"} {
		text, err := os.ReadFile(filepath.Join(l.Checkout, "packaging/ansible", book))
		require.NoError(t, err)
		files[book] = string(text)
	}
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

// TestAnsible_Unreachable loses the way to a worker while it is restarted: those of its batch come
// back, and nothing else is stopped, which any_errors_fatal does not see to.
func TestAnsible_Unreachable(t *testing.T) {
	f := standInFleet(t)
	const begins, ends, before, all = "Stop the node", "Start it again", "Insist on those before", "Insist on all workers"
	for _, c := range []struct {
		gone         string
		serial       int
		begun, ended []string
		refused      string // the task that sees it, on whichever host it is asked
	}{
		{
			gone: "none", serial: 1, begun: []string{"a", "b", "c", "d", "e"}, ended: []string{"a", "b", "c", "d", "e"},
		},
		{gone: "b", serial: 1, begun: []string{"b"}}, // Ansible itself ends where all of a batch are gone
		{gone: "c", serial: 1, begun: []string{"b", "c"}, ended: []string{"b"}},
		{gone: "e", serial: 1, begun: []string{"b", "c", "d", "e"}, ended: []string{"b", "c", "d"}},
		{gone: "c", serial: 2, begun: []string{"b", "c"}, ended: []string{"b"}, refused: before},
		{gone: "c", serial: 3, begun: []string{"b", "c", "d"}, ended: []string{"b", "d"}, refused: before},
		{gone: "e", serial: 2, begun: []string{"b", "c", "d", "e"}, ended: []string{"b", "c", "d"}, refused: all},
		{gone: "e", serial: 4, begun: []string{"b", "c", "d", "e"}, ended: []string{"b", "c", "d"}, refused: all},
	} {
		t.Run(fmt.Sprintf("%s of batches of %d", c.gone, c.serial), func(t *testing.T) {
			if own, found := f.own[c.gone]; found {
				own["way"] = "ssh"
				defer delete(own, "way")
			}
			p := f.play(t, "upgrade.yml", fmt.Sprintf("--extra-vars=raynoded_restart_head=true raynoded_serial=%d", c.serial))
			require.Equal(t, c.gone == "none", p.code == 0)
			require.Equal(t, c.begun, p.became(begins, "changed"))
			require.Equal(t, c.ended, p.became(ends, "changed"))
			for _, task := range []string{before, all} {
				asked := p.became(task, "failed")
				if task != c.refused {
					require.Empty(t, asked)
					continue
				}
				require.Len(t, asked, 1)
				require.Contains(t, p.text(asked[0], task), "Not back: "+c.gone+". ")
			}
		})
	}
}

// TestAnsible_RayUnseen has ray.yml find out on one host that it cannot take it over: it stops
// nothing.
func TestAnsible_RayUnseen(t *testing.T) {
	for name, c := range map[string]struct{ task, key, value, text string }{
		"a look that fails": {task: "Note what runs", key: "unseen", value: "yes"},
		"a further instance": {
			task: "Insist on no further instance", key: "nodes",
			value: "raynoded.service loaded active\nraynoded@x.service loaded activating\n",
			text:  "/opt/ray cannot be switched while further instances run here. Stop them: raynoded@x.service",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := standInFleet(t)
			f.own["c"][c.key] = c.value
			p := f.play(t, "ray.yml", "--check")
			require.Equal(t, 2, p.code)
			require.Equal(t, []string{"c"}, p.became(c.task, "failed"))
			require.Contains(t, p.text("c", c.task), c.text)
			require.Equal(t, []string{"a"}, p.became("Insist on all hosts", "failed"))
			require.Contains(t, p.text("a", "Insist on all hosts"), "Not prepared: c.")
			require.Equal(t, "Insist on all hosts", p.results[len(p.results)-1].Task, "nothing comes after it")
		})
	}
}
