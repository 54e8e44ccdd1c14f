package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The .deb takes every page; of the .rpm each is named.
func TestManual_EveryPageIsInTheRPM(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../nfpm.yaml")
	require.NoError(t, err)
	for _, cmd := range rootCommand().Commands() {
		require.Contains(t, string(text), "dst: /usr/share/man/man8/raynoded-"+cmd.Name()+".8.gz, type: doc")
	}
}
