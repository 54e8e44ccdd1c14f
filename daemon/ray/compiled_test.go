package ray

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInstall_Uncompiled(t *testing.T) {
	venv := t.TempDir()
	bin, packages := filepath.Join(venv, "bin/ray"), filepath.Join(venv, "lib/python3.11/site-packages")
	install := Install{Bin: bin}
	put(t, venv, "bin/ray", "#!"+venv+"/bin/python3\n")
	require.Empty(t, install.Uncompiled(), "a Ray of another make")

	put(t, packages, reporterModule+".py", "")
	require.Equal(t, packages, install.Uncompiled())
	require.Equal(t, venv+"/bin/python3 -m compileall -q -j 0 "+packages, install.Compile(packages))

	put(t, packages, "ray/dashboard/modules/reporter/__pycache__/reporter_agent.cpython-311.pyc", "")
	require.Empty(t, install.Uncompiled())
	require.Empty(t, Install{Bin: script(t, "ray", "#!/bin/sh\n")}.Uncompiled(), "a wrapper says nothing of its Python")
}

func TestInstall_WarmUp(t *testing.T) {
	path, args := Install{Bin: script(t, "ray", "#!/v/bin/python3\n")}.WarmUp()
	require.Equal(t, "/v/bin/python3", path)
	require.Equal(t, []string{"-c", warmUpScript}, args)
	path, _ = Install{Bin: script(t, "ray", "#!/bin/sh\n")}.WarmUp()
	require.Empty(t, path)
}
