package environ

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Ray's patience is 10 s, ours or its own, unless somebody says both.
func TestResolve_Connect(t *testing.T) {
	const doubt = "one start of Ray in three takes 30 s longer by it: without it Ray is given 20, and 500 attempts"
	cases := []struct {
		name            string
		env             map[string]string
		config          map[string]any
		pause, attempts string // "" = not set
		warnings        []string
	}{
		{name: "by default", pause: "20", attempts: "500"},
		{name: "the pause", env: map[string]string{connectPause: "50"}, pause: "50"},
		{name: "the attempts", env: map[string]string{connectAttempts: "20"}, attempts: "20"},
		{name: "none", env: map[string]string{connectPause: ""}},
		{name: "the attempts, for the cluster", config: map[string]any{"raylet_client_num_connect_attempts": int64(20)}},
		{
			name: "as recipes have it", env: map[string]string{connectPause: "30000", connectAttempts: "20"},
			pause: "30000", attempts: "20",
			warnings: []string{connectPause + ": " + doubt + " (/etc/raynoded/role.toml:9 [env])"},
		},
		{
			name: "for the cluster", config: map[string]any{"raylet_client_connect_timeout_milliseconds": int64(30000)},
			warnings: []string{"ray.system_config.raylet_client_connect_timeout_milliseconds: " + doubt},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := worker(c.env)
			r.Ray.SystemConfig = c.config
			result := Resolve(sources(r))
			set := map[string]string{}
			for _, v := range result.Values {
				if v.Delivery == ByEnv {
					set[v.Name] = v.Value
				}
			}
			require.Equal(t, c.pause, set[connectPause])
			require.Equal(t, c.attempts, set[connectAttempts])
			require.ElementsMatch(t, c.warnings, result.Warnings)
		})
	}
}
