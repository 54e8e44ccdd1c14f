package lab

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLab_Find(t *testing.T) {
	l, err := Find()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(l.Checkout, "test/lab/need_test.go"))

	t.Chdir(t.TempDir())
	_, err = Find()
	require.EqualError(t, err, "cannot find the checkout: no go.mod above the working folder")
}

func TestPiece_Check(t *testing.T) {
	l := &Lab{Checkout: t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(l.Checkout, ".lab"), 0o755))
	for _, name := range []string{"ray-2.60.0.stamp", "ray-2.60.0.skipped"} {
		require.NoError(t, os.WriteFile(l.piece(name), nil, 0o644))
	}
	require.NoError(t, os.WriteFile(l.piece("ray-2.9.3.skipped"), []byte("no Python for it\n"), 0o644))

	require.NoError(t, Ray("2.60.0").check(l))
	require.EqualError(t, Ray("2.9.3").check(l), "no Python for it")
	require.EqualError(t, Ray("2.40.0").check(l), "no .lab/ray-2.40.0: run test/setup ray 2.40.0")
	require.NoError(t, Program("sh").check(l))
	require.EqualError(t, Program("no-such").check(l), "no no-such on PATH: run test/setup packages")
	require.ErrorContains(t, Root("bookworm").check(l), "no .lab/root-bookworm: run test/setup root bookworm")
	require.EqualError(
		t, Root("bookworm").check(&Lab{Checkout: "/a:b"}),
		`the path of the checkout, "/a:b", cannot be an option of an overlay mount`,
	)
}

func TestNeed_Missing(t *testing.T) {
	l := &Lab{Checkout: t.TempDir()}
	require.NoError(t, missing(l, []Piece{Program("sh")}))
	require.EqualError(t, missing(l, []Piece{Program("sh"), Program("no-such"), Ray("2.60.0")}),
		"no no-such on PATH: run test/setup packages\nno .lab/ray-2.60.0: run test/setup ray 2.60.0")
}

func TestNode_IsLeader(t *testing.T) {
	require.True(t, isLeader("Name:\tsystemd\nNSpid:\t4711\t1\n"))
	require.False(t, isLeader("Name:\tsh\nNSpid:\t4711\t12\n"))
	require.False(t, isLeader("Name:\tinit\nNSpid:\t1\n"))
	require.False(t, isLeader(""))
}

func TestProcs_Read(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "7")
	require.NoError(t, os.Mkdir(dir, 0o755))
	for name, text := range map[string]string{
		"stat":    "7 (a) b) Z 3 7 7 0",
		"cmdline": "",
		"cgroup":  "1:cpu:/\n0::/x/payload/system.slice/s.service\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	p, err := readProc(dir, "/x/payload")
	require.NoError(t, err)
	require.Equal(t, "7 3 Z /system.slice/s.service [a) b]", p.String())
}
