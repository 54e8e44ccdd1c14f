package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	users   = "systemd-sysusers raynoded.conf"
	home    = "systemd-tmpfiles --create raynoded.conf"
	reload  = "systemctl daemon-reload"
	stop    = "systemctl stop raynoded.service raynoded@*.service"
	disable = "systemctl --quiet disable raynoded.service raynoded@.service"
	forget  = "systemctl reset-failed raynoded.service raynoded@*.service"
	purge   = "rm -rf --one-file-system /etc/raynoded /run/raynoded /var/lib/raynoded"
)

// What each script runs for each way in which dpkg and rpm call it. Only a removal stops a node.
var calls = []struct {
	script, args string
	booted       []string // where systemd runs
	image        []string // where it does not: a container, an image that is being built
}{
	{"deb/postinst", "configure", []string{users, home, reload}, []string{users, home}},
	{"deb/postinst", "configure 0.1.0-1", []string{users, home, reload}, []string{users, home}},
	{"deb/postinst", "abort-upgrade 0.1.0-1", nil, nil},
	{"deb/postinst", "abort-remove", nil, nil},
	{"deb/postinst", "triggered /usr/lib", nil, nil},
	{"deb/prerm", "upgrade 0.2.0-1", nil, nil},
	{"deb/prerm", "failed-upgrade 0.1.0-1", nil, nil},
	{"deb/prerm", "deconfigure in-favour other 1", nil, nil},
	{"deb/prerm", "remove", []string{stop, disable}, []string{disable}},
	{"deb/postrm", "upgrade 0.2.0-1", nil, nil},
	{"deb/postrm", "failed-upgrade 0.1.0-1", nil, nil},
	{"deb/postrm", "abort-install", nil, nil},
	{"deb/postrm", "disappear other 1", nil, nil},
	{"deb/postrm", "remove", []string{reload, forget}, nil},
	{"deb/postrm", "purge", []string{purge}, []string{purge}},

	{"rpm/post", "1", []string{users, home, reload}, []string{users, home}},
	{"rpm/post", "2", []string{users, home, reload}, []string{users, home}},
	{"rpm/preun", "1", nil, nil},
	{"rpm/preun", "0", []string{stop, disable}, []string{disable}},
	{"rpm/postun", "1", []string{reload}, nil},
	{"rpm/postun", "0", []string{reload, forget}, nil},
}

func TestScripts_DoNothingElse(t *testing.T) {
	for _, c := range calls {
		t.Run(c.script+" "+c.args, func(t *testing.T) {
			require.Equal(t, c.booted, play(t, c.script, c.args, true, 0))
			require.Equal(t, c.image, play(t, c.script, c.args, false, 0))
		})
	}
}

// A node that does not want to stop, or a systemd that does not answer, must not leave the package half removed.
func TestScripts_RemoveWhateverSystemctlSays(t *testing.T) {
	for _, c := range calls {
		if strings.HasSuffix(c.args, "remove") || c.args == "0" {
			t.Run(c.script, func(t *testing.T) {
				require.Equal(t, c.booted, play(t, c.script, c.args, true, 1))
			})
		}
	}
}

func TestScripts_Parse(t *testing.T) {
	scripts := map[string]bool{}
	for _, c := range calls {
		scripts[c.script] = true
	}
	for _, shell := range []string{"sh", "dash", "bash"} {
		if _, err := exec.LookPath(shell); err != nil {
			continue // one of several
		}
		for script := range scripts {
			out, err := exec.Command(shell, "-n", script).CombinedOutput()
			require.NoError(t, err, "%s -n %s: %s", shell, script, out)
		}
	}
}

// play runs a script with stand-ins for the programs that change something, which end with the given code, and returns
// how it called them. It must be silent and succeed.
func play(t *testing.T, script, args string, booted bool, code int) []string {
	dir := t.TempDir()
	running, log := filepath.Join(dir, "systemd"), filepath.Join(dir, "log")
	if booted {
		require.NoError(t, os.Mkdir(running, 0o755))
	}
	for _, program := range []string{"systemctl", "systemd-sysusers", "systemd-tmpfiles", "rm"} {
		text := "#!/bin/sh\necho \"${0##*/} $*\" >>" + log + "\n"
		if program == "systemctl" && code != 0 {
			text += "exit 1\n"
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, program), []byte(text), 0o755))
	}
	source, err := os.ReadFile(script)
	require.NoError(t, err)
	text := strings.ReplaceAll(string(source), "/run/systemd/system", running)

	cmd := exec.Command("/bin/sh", append([]string{"-c", text, script}, strings.Fields(args)...)...)
	cmd.Env = []string{"PATH=" + dir}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, string(out))

	called, err := os.ReadFile(log)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(called), "\n"), "\n")
}
