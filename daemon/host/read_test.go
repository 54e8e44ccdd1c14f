package host

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/role"
)

const shipped = "../../etc/profiles"

func write(t *testing.T, path, text string, mode os.FileMode) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), mode))
	require.NoError(t, os.Chmod(path, mode))
	return path
}

func TestReadFile(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "a.env"), "# for a test\n\nHF_TOKEN=hush=hush \nEMPTY=\nLAST=x", 0o640)
	f, err := readSettings(path, role.EnvFrom{})
	require.NoError(t, err)
	require.Equal(t, path, f.Path)
	r := newRole(role.Worker)
	e := environ.Resolve(environ.Sources{Role: r, Files: []environ.File{f}})
	for name, want := range map[string]string{"HF_TOKEN": "hush=hush ", "LAST": "x"} {
		got, _ := environ.Lookup(e.Env(), name)
		require.Equal(t, want, got)
	}
	require.Len(t, f.Settings, 3)
}

func TestReadFile_Refusals(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.env")
	cases := []struct {
		text string
		mode os.FileMode
		want string
	}{
		{"A=b", 0o644, "everybody on this host may use $FILE (mode 0644): chmod o= $FILE"},
		{"A=b", 0o660, "its group may write $FILE (mode 0660): chmod g-w $FILE"},
		{"hush", 0o600, "$FILE:1: must be NAME=value"},
		{"A=1\nexport B=hush", 0o600, "$FILE:2: must be NAME=value, without export: this is not a shell script"},
		{"A-B=hush", 0o600, "$FILE:1: must be NAME=value"},
		{"A='hush'", 0o600, "$FILE:1: A must have its value without quotes, which would be part of it"},
		{"A=hush\r", 0o600, "$FILE:1: A must have no control characters, such as a carriage return, in its value"},
		{
			"RAY_AUTH_TOKEN=hush\nNCCL_CONF_FILE=/hush",
			0o600,
			"$FILE:1: RAY_AUTH_TOKEN must not be set here: use auth.token_file\n" +
				`$FILE:2: NCCL_CONF_FILE must not be set here: it names raynoded's file, unless env_from.nccl_delivery is "env"`,
		},
		{strings.Repeat("x", maxEnvFile+1), 0o600, "$FILE must be at most 1048576 bytes long, got 1048577"},
	}
	for _, c := range cases {
		_, err := readSettings(write(t, path, c.text, c.mode), role.EnvFrom{})
		require.EqualError(t, err, strings.ReplaceAll(c.want, "$FILE", path))
		require.NotContains(t, err.Error(), "hush")
	}
	_, err := readSettings(filepath.Dir(path), role.EnvFrom{})
	require.EqualError(t, err, filepath.Dir(path)+" must be a regular file")
	_, err = readSettings(path+".none", role.EnvFrom{})
	require.EqualError(t, err, "cannot read it: stat "+path+".none: no such file or directory")
}

func TestReadProfiles_SiteFirst(t *testing.T) {
	site := t.TempDir()
	write(t, filepath.Join(site, "roce.toml"), "about = \"ours\"\n", 0o644)
	write(t, filepath.Join(site, "bad.toml"), "env.A = {}\nabout = 1\n", 0o644)
	found, err := readProfiles([]string{"roce", "large"}, site, shipped)
	require.NoError(t, err)
	require.Equal(t, "ours", found[0].About)
	require.Empty(t, found[0].Env, "the site's wins as a whole")
	require.Equal(t, "large", found[1].Name)

	_, err = readProfiles([]string{"rocky", "bad"}, site, shipped)
	bad := filepath.Join(site, "bad.toml")
	require.EqualError(t, err, "there is no profile rocky in "+site+" or "+shipped+
		"; there are bad, efa, ethernet, infiniband, large, open-instruct, roce, single-node\n"+
		"profile bad: "+strings.ReplaceAll(`$:1:10: env.A.date: `+
		`must be the day when it was last looked at, such as 2026-11-25, got nothing
$:1:10: env.A.reason: must say why this value and no other, got nothing
$:1:10: env.A.source: must say where that was read or measured, got nothing
$:1:10: env.A.value: must be a string; "" means that it must not be set, got nothing
$:2:9: about: must be a string, got 1`, "$", bad))
}

func TestReadElsewhere(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "etc/environment"), "PATH=/usr/bin\nNCCL_IB_TC=\"41\"\nHF_TOKEN=hush\n", 0o644)
	write(
		t, filepath.Join(root, "etc/profile.d/nccl.sh"),
		"# NCCL_X=1\nif true; then\n  export NCCL_CROSS_NIC=0 HF_TOKEN=hush # hush\n  NCCL_ALGO='ring; tree' "+
			"HF_TOKEN=hush; NCCL_PROTO=\"hush\nfi\nNCCL_NET=IB; export NCCL_NET\n",
		0o644,
	)
	write(t, filepath.Join(root, "etc/profile.d/nccl.csh"), "setenv NCCL_X 1\n", 0o644)
	write(t, filepath.Join(root, "etc/nccl.conf"), "NCCL_SOCKET_IFNAME=eth0\n", 0o644)
	write(t, filepath.Join(root, "home/me/.nccl.conf"), "NCCL_DEBUG=INFO\n", 0o644)
	const login, itself = "a login shell reads it, and a service does not", "NCCL reads it by itself, for what nobody " +
		"else has set"
	all := readElsewhere(root, "/home/me")
	require.Equal(t, []environ.NotApplied{
		{Name: "NCCL_IB_TC", Value: "41", From: root + "/etc/environment", Why: login},
		{Name: "HF_TOKEN", Value: "", From: root + "/etc/environment", Why: login},
		{Name: "NCCL_CROSS_NIC", Value: "0", From: root + "/etc/profile.d/nccl.sh", Why: login},
		{Name: "NCCL_ALGO", Value: "ring; tree", From: root + "/etc/profile.d/nccl.sh", Why: login},
		{Name: "NCCL_NET", Value: "IB", From: root + "/etc/profile.d/nccl.sh", Why: login},
		{Name: "NCCL_SOCKET_IFNAME", Value: "eth0", From: root + "/etc/nccl.conf", Why: itself},
		{Name: "NCCL_DEBUG", Value: "INFO", From: root + "/home/me/.nccl.conf", Why: "NCCL reads it only where it has no " +
			"NCCL_CONF_FILE"},
	}, all)
	r := newRole(role.Worker)
	r.Env = map[string]string{"NCCL_IB_TC": "41", "NCCL_CROSS_NIC": "1"}
	e := environ.Resolve(environ.Sources{Role: r, Elsewhere: all[:3]})
	require.Equal(t, all[1:3], e.NotApplied, "what Ray has just so is applied")
	require.Empty(t, readElsewhere(t.TempDir(), ""))
}
