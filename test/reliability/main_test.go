package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMatrix(t *testing.T) {
	lab := t.TempDir()
	require.NoError(t, os.Mkdir(path(lab, "matrix"), 0o755))
	_, err := matrix(lab)
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, g := range groups {
		require.NoError(t, os.WriteFile(path(lab, "matrix", g.name+".json"), []byte("[]"), 0o600))
	}
	require.NoError(t, os.WriteFile(path(lab, "matrix", "Head.json"), []byte(`[
{"fault": "the GCS is killed", "way": "per-job", "worker": {"state": "ends", "exit_code": 0,
 "reason": "head lost: a|b\nc", "seconds": 0.5714},
 "head": {"state": "restarts", "exit_code": 70, "seconds": 0.03}},
{"fault": "the GCS is killed", "way": "standing", "worker": {"state": "waits", "seconds": 1},
 "head": {"state": "goes on", "seconds": 0}}
]`), 0o600))
	text, err := matrix(lab)
	require.NoError(t, err)
	require.Contains(t, text, `### The head

| fault             | use      | the worker | after  | why, in its own words | the head      | after  |
| ----------------- | -------- | ---------- | ------ | --------------------- | ------------- | ------ |
| the GCS is killed | per-job  | ends (0)   | 0.57 s | head lost: a/b …      | restarts (70) | 0.03 s |
|                   | standing | waits      | 1.00 s |                       | goes on       |        |
`)
}

func TestChaos(t *testing.T) {
	lab := t.TempDir()
	require.NoError(t, os.WriteFile(path(lab, "chaos.json"), []byte(
		`{"Seed": 7, "Rounds": 2, "Seconds": 3600, "Faults": {"b": 1, "a": 1, "c": 3},
		"Healed": {"Mean": 4.25, "Longest": 9}}`,
	), 0o600))
	text, err := chaos(lab)
	require.NoError(t, err)
	require.Equal(t, `- The last run took 1h0m0s, had the seed 7, and survived 5 faults in 2 rounds.
- After the last fault of a round was undone, the cluster was complete again after 4.2 s on average, 9.0 s at most.

### Faults survived

| fault | times |
| ----- | ----- |
| c     | 3     |
| a     | 1     |
| b     | 1     |
`, text)
}

func TestWrite_NothingNew(t *testing.T) {
	document := filepath.Join(t.TempDir(), "reliability.md")
	require.NoError(t, os.WriteFile(document, []byte("as it was\n"), 0o600))
	require.NoError(t, write(t.TempDir(), document))
	text, err := os.ReadFile(document)
	require.NoError(t, err)
	require.Equal(t, "as it was\n", string(text))
}
