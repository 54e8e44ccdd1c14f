package role

import (
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLoadProfile(t *testing.T) {
	file := filepath.Join("testdata", "profile", "good.toml")
	p, err := LoadProfile(file)
	require.NoError(t, err)
	require.Equal(t, &Profile{
		Name: "good", File: file, About: "for a test",
		Env: map[string]ProfileValue{
			"NCCL_DEBUG":         {"WARN", "NCCL's level for errors", "NCCL 2.30 env.rst", "2026-11-25"},
			"NCCL_SOCKET_IFNAME": {"", "leave it to NCCL", "a test", "2026-11-25"},
		},
		Omitted: map[string]ProfileValue{"NCCL_IB_DISABLE": {"1", "no", "a test", "2026-11-25"}},
	}, p)
}

func TestLoadProfile_Bad(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "profile"))
	p, err := LoadProfile("bad.toml")
	require.Nil(t, p)
	require.EqualError(t, err, `bad.toml:1:1: about: must say in one line what the profile is for, got nothing
bad.toml:3:11: env.NCCL_DEBUG.reason: must say why this value and no other, got ""
bad.toml:4:9: env.NCCL_DEBUG.date: must be a day such as "2026-11-25", got "25.11.2026"
bad.toml:5:10: env.NCCL_DEBUG.sauce: unknown key, did you mean env.NCCL_DEBUG.source?
bad.toml:7:1: env.RAY_ADDRESS: must leave to raynoded what it sets, got RAY_ADDRESS (use cluster.head)
bad.toml:13:1: omitted.NCCL_IB_TIMEOUT.value: must be a string; "" means that it must not be set, got nothing
bad.toml:19:13: env.HF_TOKEN: must be a table
bad.toml:20:1: envs: unknown key, did you mean env?`)
	_, err = LoadProfile("none.toml")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestLooksSecret(t *testing.T) {
	for name, want := range map[string]bool{
		"HF_TOKEN": true, "token": true, "WANDB_API_KEY": true, "AWS_SECRET_ACCESS_KEY": true, "DB_PASSWORD": true,
		"TOKENIZERS_PARALLELISM": false, "HF_TOKEN_PATH": false, "AWS_ACCESS_KEY_ID": false, "MAX_TOKENS": false,
		"NCCL_DEBUG": false,
	} {
		require.Equal(t, want, LooksSecret(name), name)
	}
}

func TestLoad_LongestEntry(t *testing.T) {
	for length, good := range map[int]bool{maxVariable - len("A="): true, maxVariable - len("A=") + 1: false} {
		_, err := Load(
			write(t, map[string]string{"single.toml": "role = 'single'\nenv.A = '" + strings.Repeat("x", length) + "'"}),
		)
		if good {
			require.NoError(t, err)
			continue
		}
		require.EqualError(
			t, err, "single.toml:2:10: env.A: must have at most 131070 bytes together with its name, got 131071",
		)
	}
}
