package ray

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func output(_ context.Context, cmd *exec.Cmd) ([]byte, error) { return cmd.Output() }

func script(t *testing.T, name, text string) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
	return path
}

func TestInspect(t *testing.T) {
	python := script(t, "python3", "#!/bin/sh\necho 3.11.7 2.60.0\n")
	install, err := Inspect(t.Context(), script(t, "ray", "#!"+python+"\n"), output)
	require.NoError(t, err)
	require.Equal(t, "2.60.0", install.Ray)
	require.Equal(t, "3.11.7", install.Python)

	wrapper := script(t, "ray", "#!/bin/sh\necho ray, version 2.9.3\n")
	install, err = Inspect(t.Context(), wrapper, output)
	require.NoError(t, err)
	require.Equal(t, Install{Bin: wrapper, Ray: "2.9.3"}, install)
}

func TestInspect_VirtualEnvironment(t *testing.T) {
	for name, config := range map[string]string{
		"venv":       "home = /usr/bin\nversion = 3.11.7\n",
		"uv":         "home = /usr/bin\nuv = 0.9\nversion_info = 3.11.7\n",
		"virtualenv": "home = /usr\nvirtualenv = 20.25.0\nversion_info = 3.11.7.final.0\n",
	} {
		t.Run(name, func(t *testing.T) {
			venv := t.TempDir()
			put(t, venv, "pyvenv.cfg", config)
			put(t, venv, "bin/ray", "#!"+venv+"/bin/python3\n")
			put(t, venv, "lib/python3.11/site-packages/ray/_version.py", "# generated\nversion = \"2.60.0\"\ncommit = \"x\"\n")
			install, err := Inspect(t.Context(), filepath.Join(venv, "bin/ray"), nil)
			require.NoError(t, err)
			require.Equal(t, Install{Bin: filepath.Join(venv, "bin/ray"), Ray: "2.60.0", Python: "3.11.7"}, install)
		})
	}
}

func put(t *testing.T, dir, name, text string) {
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
}

func TestInspect_NotRay(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ray")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	other := script(t, "ray", "#!/bin/sh\necho hello\n")
	for bin, want := range map[string]string{
		dir + "/none": "not a Ray program: " + dir + "/none: no such file or directory",
		dir:           "not a Ray program: " + dir + ": not an executable file",
		file:          "not a Ray program: " + file + ": not an executable file",
		other:         "not a Ray program: " + other + ": `ray --version` does not answer as Ray does",
	} {
		_, err := Inspect(t.Context(), bin, output)
		require.ErrorIs(t, err, ErrNotRay)
		require.EqualError(t, err, want)
	}
}

func TestAtLeast(t *testing.T) {
	for version, want := range map[string]bool{"2.52.0": true, "2.51.9": false, "3.0.0": true, "2.60.0rc1": true,
		"2.9.3": false, "nightly": true, "": true} {
		require.Equal(t, want, AtLeast(version, 2, 52), version)
	}
}

func TestCheckFree(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	err = CheckFree(Port{Key: "ray.ports.dashboard", Number: port}, "127.0.0.1")
	require.ErrorContains(t, err, "is taken by another program")
	require.NoError(t, CheckFree(Port{Key: "ray.ports.worker_min", Number: port}, "127.0.0.1"))
	require.NoError(t, l.Close())
	require.NoError(t, CheckFree(Port{Key: "ray.ports.dashboard", Number: port}, "127.0.0.1"))
}
