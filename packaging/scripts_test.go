package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
	purge   = "rm -rf --one-file-system "
)

// folders are those that a purge removes.
var folders = []string{"/etc/raynoded", "/run/raynoded", "/var/lib/raynoded"}

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
	{"deb/postrm", "purge", purged(folders...), purged(folders...)},

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
			require.Equal(t, c.booted, play(t, c.script, c.args, true, ""))
			require.Equal(t, c.image, play(t, c.script, c.args, false, ""))
		})
	}
}

// A node that does not want to stop, or a systemd that does not answer, must not leave the package
// half removed.
func TestScripts_RemoveWhateverSystemctlSays(t *testing.T) {
	for _, c := range calls {
		if strings.HasSuffix(c.args, "remove") || c.args == "0" {
			t.Run(c.script, func(t *testing.T) {
				require.Equal(t, c.booted, play(t, c.script, c.args, true, "systemctl"))
			})
		}
	}
}

// A home on a file system of somebody else's, which may not be written or given away, must not
// leave the package half configured.
func TestScripts_InstallWhateverTmpfilesSays(t *testing.T) {
	for _, c := range calls {
		if slices.Contains(c.booted, home) {
			t.Run(c.script+" "+c.args, func(t *testing.T) {
				require.Equal(t, c.booted, play(t, c.script, c.args, true, "systemd-tmpfiles"))
				require.Equal(t, c.image, play(t, c.script, c.args, false, "systemd-tmpfiles"))
			})
		}
	}
}

// A purge keeps away from what is mounted, of the same file system too. What lies elsewhere is of
// no account.
func TestScripts_PurgeNothingMounted(t *testing.T) {
	const other = "/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /var/lib/raynoded-old ext4 rw 0 0\n/etc/raynoded /srv/raynoded " +
		"none rw 0 0\n"
	for _, c := range []struct{ name, mounts, stays string }{
		{"nothing", other, ""},
		{"below", other + "/dev/sda1 /var/lib/raynoded/grpo/cache ext4 rw 0 0\n", "/var/lib/raynoded"},
		{"itself", other + "nfs:/etc /etc/raynoded nfs4 ro 0 0\n", "/etc/raynoded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			require.NoError(t, os.WriteFile(s.mounts, []byte(c.mounts), 0o644))
			left := slices.DeleteFunc(slices.Clone(folders), func(folder string) bool { return folder == c.stays })
			said := s.play(t, "deb/postrm", "purge")
			require.Equal(t, purged(left...), s.called(t))
			if c.stays == "" {
				require.Empty(t, said)
			} else {
				require.Equal(t, c.stays+" stays, since something is mounted there\n", said)
			}
		})
	}
}

func purged(folders ...string) []string {
	var calls []string
	for _, folder := range folders {
		calls = append(calls, purge+folder)
	}
	return calls
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

// play runs a script where one program fails, if any, and returns how it called them. It must be
// silent and succeed.
func play(t *testing.T, script, args string, booted bool, failing string) []string {
	s := newStage(t)
	if booted {
		require.NoError(t, os.Mkdir(s.running, 0o755))
	}
	if failing != "" {
		s.standIn(t, failing, "exit 1\n")
	}
	require.Empty(t, s.play(t, script, args))
	return s.called(t)
}

// stage is a host for scripts, with stand-ins for the programs that change something.
type stage struct{ dir, running, mounts, log string }

func newStage(t *testing.T) stage {
	dir := t.TempDir()
	s := stage{dir, filepath.Join(dir, "systemd"), filepath.Join(dir, "mounts"), filepath.Join(dir, "log")}
	for _, program := range []string{"systemctl", "systemd-sysusers", "systemd-tmpfiles", "rm"} {
		s.standIn(t, program, "")
	}
	for _, program := range []string{"grep", "readlink"} {
		path, err := exec.LookPath(program)
		require.NoError(t, err)
		require.NoError(t, os.Symlink(path, filepath.Join(dir, program)))
	}
	return s
}

// standIn is a program that notes how it was called, and then does something.
func (s stage) standIn(t *testing.T, program, then string) {
	text := "#!/bin/sh\necho \"${0##*/} $*\" >>" + s.log + "\n" + then
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, program), []byte(text), 0o755))
}

// play runs a script, which must succeed, and returns what it said.
func (s stage) play(t *testing.T, script, args string) string {
	source, err := os.ReadFile(script)
	require.NoError(t, err)
	text := strings.NewReplacer("/run/systemd/system", s.running, "/proc/self/mounts", s.mounts).Replace(string(source))
	cmd := exec.Command("/bin/sh", append([]string{"-c", text, script}, strings.Fields(args)...)...)
	cmd.Env = []string{"PATH=" + s.dir}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err)
	return string(out)
}

// called is how the stand-ins were called.
func (s stage) called(t *testing.T) []string {
	text, err := os.ReadFile(s.log)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}
