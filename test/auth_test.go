//go:build ray

package test

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// withToken is laid over a role.
const withToken = `auth.mode = "token"
auth.token_file = "$DIR/token"
`

// startsNothing runs a member that must refuse, without any process of its own.
func (m *member) startsNothing(t *testing.T, code int, reason string) {
	t.Helper()
	began := time.Now()
	r := m.start(t)
	r.ends(t, code, reason)
	t.Logf("%s ended after %s", m.name, r.end.Sub(began))
	require.NoFileExists(t, m.path("ray-start.log"), "Ray was started")
	require.NoDirExists(t, m.path("ray", "session_latest"))
}

func TestAuth_Token(t *testing.T) {
	s := newSite(t, "2.60.0")
	secret, other := rand.Text(), rand.Text()
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "token"), []byte(secret+"\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "other"), []byte(other+"\n"), 0o600))
	head := s.member(t, "head", headRole, withToken, quickStop).start(t)
	head.ready(t)

	t.Run("Wrong", func(t *testing.T) {
		s.member(t, "wrong", workerRole, withToken, `auth.token_file = "$DIR/other"`).startsNothing(t, 77,
			"the token was refused: * auth.mode and the token must be those of the head ($HEAD)")
	})
	t.Run("None", func(t *testing.T) {
		s.member(t, "none", workerRole).startsNothing(t, 77,
			"the token was refused: * auth.mode and the token must be those of the head ($HEAD)")
	})
	t.Run("Standing", func(t *testing.T) {
		r := s.member(t, "standing", workerRole, `watchdog.on_head_loss = "rejoin"`).start(t)
		r.hears(t, "STATUS=waiting: worker of lab, head "+s.head+"; the token was refused: ")
		require.Empty(t, r.look())
		r.stop(t)
	})
	t.Run("Right", func(t *testing.T) {
		worker := s.member(t, "worker", workerRole, withToken).start(t)
		worker.ready(t)
		for _, r := range []*running{head, worker} {
			require.Equal(t, "head worker", r.driver(t, "where.py").line(t, "ran on"))
		}
		t.Run("Changed", func(t *testing.T) {
			token := filepath.Join(s.dir, "token")
			require.NoError(t, os.WriteFile(token, []byte(other+"\n"), 0o600))
			for _, r := range []*running{head, worker} {
				r.hears(t, "restart pending: auth.token_file")
			}
			require.Equal(
				t, "head worker", worker.driver(t, "where.py").line(t, "ran on"), "whom Ray starts now has the cluster's token",
			)
			back := time.Now()
			require.NoError(t, os.WriteFile(token, []byte(secret+"\n"), 0o600))
			worker.hearsAfter(t, back, "STATUS=running: ")
		})
		t.Run("DriverWithout", func(t *testing.T) {
			env := []string{"RAY_NUM_REDIS_GET_RETRIES=1"} // or it would try for 20 s
			for _, entry := range head.rayEnv(t) {
				if !strings.HasPrefix(entry, "RAY_AUTH_") {
					env = append(env, entry)
				}
			}
			d := head.driverWith(t, env, "where.py")
			require.NotZero(t, d.result(t))
			require.Contains(t, strings.ToLower(d.said(t)), "authenticat")
		})
		for _, r := range []*running{head, worker} {
			inArgs(t, r, secret)
		}
		worker.stop(t)
	})
	head.stop(t)
	for _, file := range filesWith(t, s.dir, secret) {
		require.Equal(t, filepath.Join(s.dir, "token"), file)
	}
	for _, file := range filesWith(t, s.dir, other) {
		require.Equal(t, filepath.Join(s.dir, "other"), file)
	}
}

// inArgs looks for the secret where any user of the host could read it, and in the environment.
func inArgs(t *testing.T, r *running, secret string) {
	t.Helper()
	self, err := readProcess(r.pid())
	require.NoError(t, err)
	for _, p := range append(r.look(), self) {
		require.NotContains(t, p.line(), secret)
		environ, _ := os.ReadFile("/proc/" + itoa(p.pid) + "/environ")
		require.NotContains(t, string(environ), secret, p.line())
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
	s := newSite(t, "2.40.0")
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "token"), []byte(rand.Text()), 0o600))
	for name, role := range map[string]string{"head": headRole, "worker": workerRole} {
		s.member(t, name, role, withToken).startsNothing(t, 71,
			`this host is not fit: auth.mode: "token" needs Ray 2.52 or newer, $BIN is 2.40.0: upgrade Ray or say "none"`)
	}
}

// TestNone is a head whose role says that there is no token, although Ray would find one and demand
// it; and the workers that may not join it.
func TestNone(t *testing.T) {
	s := newSite(t, "2.60.0")
	h := s.member(t, "head", headRole, quickStop)
	h.write(t, h.path("home", ".ray", "auth_token"), rand.Text())
	head := h.start(t)
	head.ready(t)

	t.Run("Driver", func(t *testing.T) {
		env := []string{"RAY_ADDRESS=" + s.head, "RAY_AUTH_MODE=disabled", "HOME=" + s.dir}
		require.Equal(t, "head", head.driverWith(t, env, "where.py").line(t, "ran on"))
	})
	t.Run("OtherRay", func(t *testing.T) {
		old := lab.RayBin(t, "2.40.0")
		m := s.member(t, "old", workerRole, `ray.bin = "`+old+`"`)
		m.startsNothing(
			t, 76,
			"the head is not one this node may join: ray.bin: "+old+" has Ray 2.40.0, the head $HEAD has 2.60.0: install "+
				"the same on both",
		)
	})
	t.Run("OtherPython", func(t *testing.T) {
		m := s.member(t, "python", workerRole, `ray.bin = "$DIR/python/bin/ray"`)
		m.write(t, m.path("bin", "ray"), "#!"+m.path("bin", "python3")+"\n")
		m.write(t, m.path("bin", "python3"), "#!/bin/sh\necho 3.9.1 2.60.0\n")
		require.NoError(t, os.Chmod(m.path("bin", "ray"), 0o755))
		require.NoError(t, os.Chmod(m.path("bin", "python3"), 0o755))
		m.startsNothing(
			t,
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
		s.member(t, "pinned", workerRole, `cluster.id = "`+other+`"`).startsNothing(t, 76,
			"the head is not one this node may join: cluster.id: pinned to "+other+", but $HEAD is "+s.clusterID(t))
	})
	t.Run("Standing", func(t *testing.T) {
		r := s.member(t, "standing", workerRole, `cluster.id = "`+other+`"`, `watchdog.on_head_loss = "rejoin"`).start(t)
		r.hears(
			t,
			"STATUS=waiting: worker of lab, head "+s.head+"; the head is not one this node may join: cluster.id: pinned to "+
				""+other,
		)
		require.Empty(t, r.look())
		r.stop(t)
	})
	t.Run("Pinned", func(t *testing.T) {
		r := s.member(t, "right", workerRole, `cluster.id = "`+s.clusterID(t)+`"`).start(t)
		r.ready(t)
		r.stop(t)
	})
	head.stop(t)
}

// pythonVersion is that of the site's Ray.
func pythonVersion(t *testing.T, s *site) string {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(s.bin)), "pyvenv.cfg"))
	require.NoError(t, err)
	found := regexp.MustCompile(`(?m)^version = (.*)$`).FindSubmatch(config)
	require.NotNil(t, found)
	return string(found[1])
}
