package child

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	v1     = "9:name=systemd:/user.slice\n4:memory:/user.slice\n"
	tmpfs  = "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
	hybrid = tmpfs + "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw\n"
	pure   = "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	docker = "35 24 0:30 /docker/abc /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n"
	spaced = `35 24 0:30 / /my\040cgroups rw - cgroup2 cgroup2 rw` + "\n"
)

func TestLocate(t *testing.T) {
	for _, c := range []struct {
		name, cgroup, mounts string
		path                 string
		dirs                 []string
		err                  string
	}{
		{"systemd", "0::/system.slice/raynoded.service\n", pure, "/system.slice/raynoded.service",
			[]string{"/sys/fs/cgroup/system.slice/raynoded.service"}, ""},
		{"hybrid", v1 + "0::/a\n", hybrid, "/a", []string{"/sys/fs/cgroup/unified/a"}, ""},
		{"root", "0::/\n", pure, "/", []string{"/sys/fs/cgroup"}, ""},
		{"container", "0::/docker/abc/x\n", docker, "/docker/abc/x", []string{"/sys/fs/cgroup/x"}, ""},
		{"mounted twice", "0::/docker/abc\n", docker + pure, "/docker/abc", []string{"/sys/fs/cgroup",
			"/sys/fs/cgroup/docker/abc"}, ""},
		{"blank in a name", "0::/a\n", spaced, "/a", []string{"/my cgroups/a"}, ""},
		{"v1 only", v1, tmpfs, "", nil, "no cgroup v2"},
		{"v2 not mounted", v1 + "0::/a\n", tmpfs, "", nil, "cgroup v2 /a is not mounted here"},
		{"another's mount", "0::/docker/abcd\n", docker, "", nil, "cgroup v2 /docker/abcd is not mounted here"},
		{"outside the namespace", "0::/../a\n", pure, "", nil, "cgroup v2 /../a is not mounted here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, dirs, err := locate(c.cgroup, c.mounts)
			if c.err != "" {
				require.EqualError(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.path, path)
			require.Equal(t, c.dirs, dirs)
		})
	}
}

func TestParentCgroup_Probe(t *testing.T) {
	h := parentCgroup{path: "/", dir: t.TempDir()}
	_, err := h.probe()
	require.EqualError(t, err, h.dir+" does not hold this process")
}

func TestParentCgroup_RemoveEmpty(t *testing.T) {
	h := forced(t, full)
	dead := exec.Command("/bin/true")
	require.NoError(t, dead.Run())
	pid := dead.Process.Pid
	folder := func(name string) string {
		dir := filepath.Join(h.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "below"), 0o755))
		t.Cleanup(func() { require.NoError(t, leaf(dir).remove()) })
		return dir
	}
	tree := newTree(t, forced(t, none))
	p, out := run(t, tree, "sleep")
	out.says(t, "ready")
	empty, ours := folder(fmt.Sprintf("ray-%d-1", pid)), folder(fmt.Sprintf("ray-%d-1", os.Getpid()))
	living, other := folder(fmt.Sprintf("ray-%d-1", os.Getppid())), folder(fmt.Sprintf("xray-%d-1", pid))
	var inUse string
	require.Eventually(t, func() bool { // the raynoded of another test may remove it while it is still empty
		inUse = folder(fmt.Sprintf("ray-%d-2", pid))
		return leaf(filepath.Join(inUse, "below")).write("cgroup.procs", fmt.Sprint(p.PID)) == nil
	}, 10*time.Second, time.Millisecond)

	h.removeEmpty()

	require.NoDirExists(t, empty)
	require.NoDirExists(t, ours)
	for _, dir := range []string{inUse, living, other} {
		require.DirExists(t, filepath.Join(dir, "below"))
	}
	require.NoError(t, tree.Stop(t.Context(), 0, nil))
}
