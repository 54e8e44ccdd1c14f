//go:build systemd

package ansible

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// TestAnsible_Text has YAML take a text for something else. The play only checks: it is on this
// very machine.
func TestAnsible_Text(t *testing.T) {
	t.Parallel()
	program := lab.Ansible(t, "ansible-playbook")
	l, err := lab.Find()
	require.NoError(t, err)
	const refused = "It must be a text, and YAML took it for a number or a boolean. Put it in quotes."
	for name, c := range map[string]struct {
		vars    string
		refused string // the assertion; "" = none
	}{
		"an all-digit token":       {vars: "raynoded_token: 1234567890123456", refused: "raynoded_token is not number"},
		"an octal token":           {vars: "raynoded_token: 0123", refused: "raynoded_token is not number"},
		"a token of minutes":       {vars: "raynoded_token: 12:30:45", refused: "raynoded_token is not number"},
		"a token of yes":           {vars: "raynoded_token: yes", refused: "raynoded_token is not number"},
		"a version of two numbers": {vars: "raynoded_ray_version: 2.60", refused: "raynoded_ray_version is not number"},
		"a drop-in":                {vars: "raynoded_drop_ins: {a: 5}", refused: "raynoded_drop_ins.values()"},
		"in quotes":                {vars: "raynoded_token: '0123'\nraynoded_ray_version: '2.60'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			vars := filepath.Join(dir, "vars.yml")
			require.NoError(t, os.WriteFile(vars, []byte("raynoded_role: role = 'single'\n"+c.vars+"\n"), 0o600))
			playbook := filepath.Join(dir, "play.yml")
			play := "- hosts: all\n  gather_facts: false\n  tasks:\n" +
				"    - ansible.builtin.import_role: {name: raynoded}\n"
			require.NoError(t, os.WriteFile(playbook, []byte(play), 0o600))
			cmd := exec.CommandContext(t.Context(), program, "--check", "--connection=local", "--inventory=localhost,",
				"--extra-vars=@"+vars, playbook)
			cmd.Env = append(os.Environ(), "HOME="+dir, "NO_COLOR=1",
				"ANSIBLE_ROLES_PATH="+filepath.Join(l.Checkout, "packaging/ansible/roles"))
			out, err := cmd.CombinedOutput()
			if c.refused == "" {
				require.NotContains(t, string(out), refused)
				require.Contains(t, string(out), "TASK [raynoded : Install ", "it has gone on")
				return
			}
			require.Error(t, err)
			require.Contains(t, string(out), refused)
			require.Contains(t, string(out), c.refused)
		})
	}
}
