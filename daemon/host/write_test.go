package host

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// A shell that reads ray.env finds each value as it is, and runs none of it.
func TestDirs_WriteRayEnv(t *testing.T) {
	d := Dirs{Run: t.TempDir()}
	for name, value := range map[string]string{
		"plain":    "/var/lib/raynoded/role/ray",
		"blank":    "/srv/my ray",
		"variable": "/srv/$HOME",
		"command":  "/srv/a;touch b",
		"backtick": "/srv/`id`",
		"quotes":   `/srv/it's "so"`,
		"IPv6":     "[fd00::1]:6379",
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, d.WriteRayEnv("role", []string{"RAY_TMPDIR=" + value, "RAY_AUTH_MODE=disabled"}))
			out, err := exec.Command("sh", "-c", `. "$0" && printf %s "$RAY_TMPDIR $RAY_AUTH_MODE"`, d.RayEnv()).Output()
			require.NoError(t, err)
			require.Equal(t, value+" disabled", string(out))
		})
	}
}
