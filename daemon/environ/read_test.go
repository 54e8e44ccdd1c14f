package environ

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	f, err := ReadFile(path, role.EnvFrom{})
	require.NoError(t, err)
	require.Equal(t, File{path, []Setting{{"HF_TOKEN", 3, "hush=hush "}, {"EMPTY", 4, ""}, {"LAST", 5, "x"}}}, f)
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
		{"A=1\nexport B=hush", 0o600, "$FILE:2: must be NAME=value, without export: this is no shell script"},
		{"A-B=hush", 0o600, "$FILE:1: must be NAME=value"},
		{"A='hush'", 0o600, "$FILE:1: A must have its value without quotes, which would be part of it"},
		{"A=hush\r", 0o600, "$FILE:1: A must have no control characters, such as a carriage return, in its value"},
		{
			"RAY_AUTH_TOKEN=hush\nNCCL_CONF_FILE=/hush",
			0o600,
			"$FILE:1: RAY_AUTH_TOKEN is not to be set here: use auth.token_file\n" +
				`$FILE:2: NCCL_CONF_FILE is not to be set here: it names raynoded's file, unless env_from.nccl_delivery is "env"`,
		},
		{strings.Repeat("x", maxFile+1), 0o600, "$FILE must be at most 1048576 bytes long, got 1048577"},
	}
	for _, c := range cases {
		_, err := ReadFile(write(t, path, c.text, c.mode), role.EnvFrom{})
		require.EqualError(t, err, strings.ReplaceAll(c.want, "$FILE", path))
		require.NotContains(t, err.Error(), "hush")
	}
	_, err := ReadFile(filepath.Dir(path), role.EnvFrom{})
	require.EqualError(t, err, filepath.Dir(path)+" must be a regular file")
	_, err = ReadFile(path+".none", role.EnvFrom{})
	require.EqualError(t, err, "cannot read it: stat "+path+".none: no such file or directory")
}

// Every shipped profile loads; that each value has a reason, a source and a date is part of it.
func TestReadProfiles_Shipped(t *testing.T) {
	paths, err := filepath.Glob(shipped + "/*.toml")
	require.NoError(t, err)
	var names []string
	for _, path := range paths {
		names = append(names, strings.TrimSuffix(filepath.Base(path), ".toml"))
	}
	require.Equal(t, []string{"efa", "ethernet", "infiniband", "large", "open-instruct", "roce", "single-node"}, names)
	profiles, err := ReadProfiles(names, shipped)
	require.NoError(t, err)
	for _, p := range profiles {
		require.NotEmpty(t, p.Env, p.Name)
		for name := range p.Env {
			require.NotContains(t, perHost, name, "%s: a profile is the same on every host", p.Name)
			require.NotContains(t, p.Omitted, name, p.Name)
		}
		s := sources(worker(nil))
		s.Profiles, s.Host = []*role.Profile{p}, fixture(t, "bond-ib")
		require.Empty(t, Resolve(s).Warnings, p.Name)
	}
}

func TestReadProfiles_SiteFirst(t *testing.T) {
	site := t.TempDir()
	write(t, filepath.Join(site, "roce.toml"), "about = \"ours\"\n", 0o644)
	write(t, filepath.Join(site, "bad.toml"), "env.A = {}\nabout = 1\n", 0o644)
	found, err := ReadProfiles([]string{"roce", "large"}, site, shipped)
	require.NoError(t, err)
	require.Equal(t, "ours", found[0].About)
	require.Empty(t, found[0].Env, "the site's wins as a whole")
	require.Equal(t, "large", found[1].Name)

	_, err = ReadProfiles([]string{"rocky", "bad"}, site, shipped)
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
	all := ReadElsewhere(root, "/home/me")
	require.Equal(t, []NotApplied{
		{"NCCL_IB_TC", "41", root + "/etc/environment", login},
		{"HF_TOKEN", "", root + "/etc/environment", login},
		{"NCCL_CROSS_NIC", "0", root + "/etc/profile.d/nccl.sh", login},
		{"NCCL_ALGO", "ring; tree", root + "/etc/profile.d/nccl.sh", login},
		{"NCCL_NET", "IB", root + "/etc/profile.d/nccl.sh", login},
		{"NCCL_SOCKET_IFNAME", "eth0", root + "/etc/nccl.conf", itself},
		{"NCCL_DEBUG", "INFO", root + "/home/me/.nccl.conf", "NCCL reads it only where it has no NCCL_CONF_FILE"},
	}, all)
	s := sources(worker(map[string]string{"NCCL_IB_TC": "41", "NCCL_CROSS_NIC": "1"}))
	s.Elsewhere = all[:3]
	require.Equal(t, all[1:3], Resolve(s).NotApplied, "what Ray has just so is applied")
	require.Empty(t, ReadElsewhere(t.TempDir(), ""))
}
