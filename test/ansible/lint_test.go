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

// TestAnsible_Lint holds the playbooks and the role against ansible-lint's strictest profile.
func TestAnsible_Lint(t *testing.T) {
	t.Parallel()
	lint := lab.Ansible(t, "ansible-lint")
	l, err := lab.Find()
	require.NoError(t, err)
	// A copy, as it leaves a cache where it has been.
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(l.Checkout, "packaging/ansible"))))
	run := func(argv ...string) {
		cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(lint)+":"+os.Getenv("PATH"), "HOME="+t.TempDir(), "NO_COLOR=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	run(lint, "--offline", "--profile=production", "--strict")
	run(
		lab.Ansible(t, "ansible-playbook"), "--syntax-check", "--inventory=inventory", "site.yml", "upgrade.yml", "ray.yml",
	)
}
