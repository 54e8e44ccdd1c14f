//go:build ray

package ray

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/site"
	"github.com/raynoded/raynoded/test/lab"
)

// withToken is laid over a role.
const withToken = `auth.mode = "token"
auth.token_file = "$DIR/token"
`

// startsNothing runs a member that must refuse, without any process of its own.
func startsNothing(t *testing.T, m *site.Member, code int, reason string) {
	t.Helper()
	began := time.Now()
	r := m.Start(t)
	r.Ends(t, code, reason)
	t.Logf("%s ended after %s", m.Name, r.End.Sub(began))
	require.NoFileExists(t, m.Path("ray-start.log"), "Ray was started")
	require.NoDirExists(t, m.Path("ray", "session_latest"))
}

func TestAuth_Token(t *testing.T) {
	s := site.New(t, "2.60.0")
	secret, other := rand.Text(), rand.Text()
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, "token"), []byte(secret+"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, "other"), []byte(other+"\n"), 0o600))
	head := s.Member(t, "head", site.HeadRole, withToken, site.QuickStop).Start(t)
	head.Ready(t)

	t.Run("Wrong", func(t *testing.T) {
		startsNothing(t, s.Member(t, "wrong", site.WorkerRole, withToken, `auth.token_file = "$DIR/other"`), 77,
			"the token was refused: * auth.mode and the token must be those of the head ($HEAD)")
	})
	t.Run("None", func(t *testing.T) {
		startsNothing(t, s.Member(t, "none", site.WorkerRole), 77,
			"the token was refused: * auth.mode and the token must be those of the head ($HEAD)")
	})
	t.Run("Standing", func(t *testing.T) {
		r := s.Member(t, "standing", site.WorkerRole, `watchdog.on_head_loss = "rejoin"`).Start(t)
		r.Hears(t, "STATUS=waiting: worker of lab, head "+s.Head+"; the token was refused: ")
		require.Empty(t, r.Look())
		r.Stop(t)
	})
	t.Run("Right", func(t *testing.T) {
		worker := s.Member(t, "worker", site.WorkerRole, withToken).Start(t)
		worker.Ready(t)
		for _, r := range []*site.Running{head, worker} {
			require.Equal(t, "head worker", r.Driver(t, "where.py").Line(t, "ran on"))
		}
		t.Run("Changed", func(t *testing.T) {
			token := filepath.Join(s.Dir, "token")
			require.NoError(t, os.WriteFile(token, []byte(other+"\n"), 0o600))
			for _, r := range []*site.Running{head, worker} {
				r.Hears(t, "restart pending: auth.token_file")
			}
			require.Equal(
				t, "head worker", worker.Driver(t, "where.py").Line(t, "ran on"), "whom Ray starts now has the cluster's token",
			)
			back := time.Now()
			require.NoError(t, os.WriteFile(token, []byte(secret+"\n"), 0o600))
			worker.HearsAfter(t, back, "STATUS=running: ")
		})
		t.Run("DriverWithout", func(t *testing.T) {
			env := []string{"RAY_NUM_REDIS_GET_RETRIES=1"} // or it would try for 20 s
			for _, entry := range head.RayEnv(t) {
				if !strings.HasPrefix(entry, "RAY_AUTH_") {
					env = append(env, entry)
				}
			}
			d := head.DriverWith(t, env, "where.py")
			require.NotZero(t, d.Result(t))
			require.Contains(t, strings.ToLower(d.Said(t)), "authenticat")
		})
		for _, r := range []*site.Running{head, worker} {
			inArgs(t, r, secret)
		}
		worker.Stop(t)
	})
	head.Stop(t)
	for _, file := range filesWith(t, s.Dir, secret) {
		require.Equal(t, filepath.Join(s.Dir, "token"), file)
	}
	for _, file := range filesWith(t, s.Dir, other) {
		require.Equal(t, filepath.Join(s.Dir, "other"), file)
	}
}

// inArgs looks for the secret where any user of the host could read it, and in the environment.
func inArgs(t *testing.T, r *site.Running, secret string) {
	t.Helper()
	self, err := site.ReadProcess(r.PID())
	require.NoError(t, err)
	for _, p := range append(r.Look(), self) {
		require.NotContains(t, p.Line(), secret)
		environ, _ := os.ReadFile("/proc/" + strconv.Itoa(p.PID) + "/environ")
		require.NotContains(t, string(environ), secret, p.Line())
	}
}

// filesWith are the files below a folder that have a text in them.
func filesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// TestAuth_OldRay is a Ray that knows no tokens.
func TestAuth_OldRay(t *testing.T) {
	s := site.New(t, "2.40.0")
	require.NoError(t, os.WriteFile(filepath.Join(s.Dir, "token"), []byte(rand.Text()), 0o600))
	for name, role := range map[string]string{"head": site.HeadRole, "worker": site.WorkerRole} {
		startsNothing(t, s.Member(t, name, role, withToken), 71,
			`this host is not fit: auth.mode: "token" needs Ray 2.52 or newer, $BIN is 2.40.0: upgrade Ray or say "none"`)
	}
}

// TestNone is a head whose role says that there is no token, although Ray would find one and demand
// it; and the workers that may not join it.
func TestNone(t *testing.T) {
	s := site.New(t, "2.60.0")
	h := s.Member(t, "head", site.HeadRole, site.QuickStop)
	h.Write(t, h.Path("home", ".ray", "auth_token"), rand.Text())
	head := h.Start(t)
	head.Ready(t)

	t.Run("Driver", func(t *testing.T) {
		env := []string{"RAY_ADDRESS=" + s.Head, "RAY_AUTH_MODE=disabled", "HOME=" + s.Dir}
		require.Equal(t, "head", head.DriverWith(t, env, "where.py").Line(t, "ran on"))
	})
	t.Run("OtherRay", func(t *testing.T) {
		old := lab.RayBin(t, "2.40.0")
		m := s.Member(t, "old", site.WorkerRole, `ray.bin = "`+old+`"`)
		startsNothing(
			t, m, 76,
			"the head is not one this node may join: ray.bin: "+old+" has Ray 2.40.0, the head $HEAD has 2.60.0: install "+
				"the same on both",
		)
	})
	t.Run("OtherPython", func(t *testing.T) {
		m := s.Member(t, "python", site.WorkerRole, `ray.bin = "$DIR/python/bin/ray"`)
		m.Write(t, m.Path("bin", "ray"), "#!"+m.Path("bin", "python3")+"\n")
		m.Write(t, m.Path("bin", "python3"), "#!/bin/sh\necho 3.9.1 2.60.0\n")
		require.NoError(t, os.Chmod(m.Path("bin", "ray"), 0o755))
		require.NoError(t, os.Chmod(m.Path("bin", "python3"), 0o755))
		startsNothing(
			t, m,
			76,
			"the head is not one this node may join: ray.bin: $DIR/python/bin/ray has Python 3.9.1, the head $HEAD has "+
				""+pythonVersion(
				t,
				s,
			)+": install the same on both",
		)
	})
	other := strings.Repeat("ab", 28)
	t.Run("OtherCluster", func(t *testing.T) {
		startsNothing(t, s.Member(t, "pinned", site.WorkerRole, `cluster.id = "`+other+`"`), 76,
			"the head is not one this node may join: cluster.id: pinned to "+other+", but $HEAD is "+s.ClusterID(t))
	})
	t.Run("Standing", func(t *testing.T) {
		r := s.Member(t, "standing", site.WorkerRole, `cluster.id = "`+other+`"`, `watchdog.on_head_loss = "rejoin"`).Start(t)
		r.Hears(
			t,
			"STATUS=waiting: worker of lab, head "+s.Head+"; the head is not one this node may join: cluster.id: pinned to "+
				""+other,
		)
		require.Empty(t, r.Look())
		r.Stop(t)
	})
	t.Run("Pinned", func(t *testing.T) {
		r := s.Member(t, "right", site.WorkerRole, `cluster.id = "`+s.ClusterID(t)+`"`).Start(t)
		r.Ready(t)
		r.Stop(t)
	})
	head.Stop(t)
}

// pythonVersion is that of the site's Ray.
func pythonVersion(t *testing.T, s *site.Site) string {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(s.Bin)), "pyvenv.cfg"))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^version = (.*)$`).FindSubmatch(config)
	require.NotNil(t, found)
	return string(found[1])
}
