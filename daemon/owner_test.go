package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

func TestLife_Owner(t *testing.T) {
	l := tidying(t)
	require.Equal(t, "grpo", l.owner(l.place.Temp), "nobody else's sessions are there")
	require.Equal(t, fmt.Sprintf("grpo-%d-%s", os.Geteuid(), hostID()), l.owner("/shared"))
}

func TestHostID(t *testing.T) {
	require.Len(t, hostIDOf("gpu-001", "1"), 16)
	require.Equal(t, hostIDOf("gpu-001", "1"), hostIDOf("gpu-001", "2"), "its machine id is a new one at each boot")
	require.NotEqual(t, hostIDOf("gpu-001", "1"), hostIDOf("gpu-002", "1"), "they boot one image")
	for _, none := range []string{"", "localhost", "localhost.localdomain"} {
		require.NotEqual(t, hostIDOf(none, "1"), hostIDOf(none, "2"), none)
	}
}

// tidying is a life whose sessions can be tidied.
func tidying(t *testing.T) *life {
	log, _ := test.NewNullLogger()
	r := &role.Role{Name: "grpo"}
	r.Ray.KeepSessions = 2
	d := &Daemon{log: log, place: Place{Temp: filepath.Join(t.TempDir(), "ray")}}
	d.use(r)
	return &life{Daemon: d, role: r, node: ray.Node{Role: r, TempDir: d.place.Temp}}
}

// session makes a session that is marked as owner's.
func session(t *testing.T, dir, owner string) ray.Session {
	t.Helper()
	s := ray.Session{Dir: dir}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "logs"), 0o755))
	require.NoError(t, s.Claim(owner))
	return s
}

// Two hosts, or users, that have a session together remove it once both want to.
func TestLife_Remove_Shared(t *testing.T) {
	l := tidying(t)
	dir := filepath.Join(t.TempDir(), "session_1")
	ours := session(t, dir, l.owner("/shared"))
	session(t, dir, "theirs")
	l.remove(t.Context(), ours, l.owner("/shared"))
	require.DirExists(t, filepath.Join(dir, "logs"))
	require.False(t, ours.Shared("theirs"), "it is theirs alone")
	l.remove(t.Context(), ours, "theirs")
	require.NoDirExists(t, dir)
}
