package host

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDirs_SessionOwner(t *testing.T) {
	dirs := Dirs{Temp: "/own/ray"}
	require.Equal(t, "grpo", dirs.SessionOwner("grpo", "/own/ray"), "nobody else's sessions are there")
	require.Equal(t, fmt.Sprintf("grpo-%d-%s", os.Geteuid(), hostID()), dirs.SessionOwner("grpo", "/shared"))
}

func TestHostID(t *testing.T) {
	require.Len(t, hostIDOf("gpu-001", "1"), 16)
	require.Equal(t, hostIDOf("gpu-001", "1"), hostIDOf("gpu-001", "2"), "its machine id is a new one at each boot")
	require.NotEqual(t, hostIDOf("gpu-001", "1"), hostIDOf("gpu-002", "1"), "they boot one image")
	for _, none := range []string{"", "localhost", "localhost.localdomain"} {
		require.NotEqual(t, hostIDOf(none, "1"), hostIDOf(none, "2"), none)
	}
}
