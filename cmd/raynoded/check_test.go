package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/ray"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	good := c.host("worker", workerRole, standing)
	bad := c.host("bad", "role = \"head\"\n")
	slow := c.host("slow", workerRole, standing, "stop.drain = '20m'\n")
	single := c.host("single", `role = "single"`)
	good.write(c.dir+"/.ansible_tmp1", workerRole)
	good.write(c.dir+"/tmp2", "stop.grace = 5\n")
	cases := []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{
			name: "in another place", args: []string{"--as", good.role(), c.dir + "/.ansible_tmp1"}, code: 0,
			stdout: "$DIR/worker.toml: good: worker, standing, head $HEAD\n",
		},
		{
			name: "a drop-in in another place", args: []string{"--as", good.role() + ".d/50.toml", c.dir + "/tmp2"}, code: 78,
			stderr: "$DIR/worker.toml.d/50.toml:1:14: stop.grace: must be a duration such as \"500ms\", \"10s\" or \"5m\", " +
				"got 5",
		},
		{
			name: "a drop-in that is never read", code: 78,
			args:   []string{"--as", good.role() + ".d/50-x.conf", c.dir + "/tmp2"},
			stderr: "$DIR/worker.toml.d/50-x.conf:1:1: must be named NAME.toml, without a dot in front, or it is never read",
		},
		{
			name: "longer than the unit waits", args: []string{slow.role()}, code: 0,
			stdout: "warning: a stop may take 20m40s (stop.drain, stop.grace and 30s), and systemd kills the node after 15m: " +
				`systemctl edit raynoded@slow.service, with "[Service]" and "TimeoutStopSec=1241"` + "\n" +
				"$DIR/slow.toml: good: worker, standing, head $HEAD\n",
		},
		{
			name: "good", args: []string{good.role()}, code: 0,
			stdout: "$DIR/worker.toml: good: worker, standing, head $HEAD\n",
		},
		{name: "single", args: []string{single.role()}, code: 0, stdout: "$DIR/single.toml: good: single host\n"},
		{
			name: "bad", args: []string{bad.role()}, code: 78,
			stderr: "$DIR/bad.toml:1:1: auth.mode: must be \"token\" or \"none\", there is no default, got nothing\n" +
				"$DIR/bad.toml:1:1: cluster.head: must be host:port, such as \"gpu-001:6379\", got nothing",
		},
		{
			name: "missing", args: []string{c.dir + "/none.toml"}, code: 78,
			stderr: "raynoded: cannot load $DIR/none.toml: there is no role file",
		},
		{
			name: "good as JSON", args: []string{"--json", good.role()}, code: 0,
			stdout: `{
  "valid": true,
  "files": [
    "$DIR/worker.toml",
    "$DIR/worker.toml.d/0.toml"
  ],
  "errors": [],
  "warnings": []
}
`,
		},
		{
			name: "bad as JSON", args: []string{"--json", bad.role()}, code: 78,
			stdout: `{
  "valid": false,
  "files": [
    "$DIR/bad.toml"
  ],
  "errors": [
    {
      "file": "$DIR/bad.toml",
      "line": 1,
      "column": 1,
      "key": "auth.mode",
      "message": "must be \"token\" or \"none\", there is no default, got nothing"
    },
    {
      "file": "$DIR/bad.toml",
      "line": 1,
      "column": 1,
      "key": "cluster.head",
      "message": "must be host:port, such as \"gpu-001:6379\", got nothing"
    }
  ],
  "warnings": []
}
`,
		},
		{
			name: "missing as JSON", args: []string{"--json", c.dir + "/none.toml"}, code: 78,
			stdout: `{
  "valid": false,
  "files": [
    "$DIR/none.toml"
  ],
  "errors": [
    {
      "file": "$DIR/none.toml",
      "line": 0,
      "column": 0,
      "key": "",
      "message": "cannot load $DIR/none.toml: there is no role file"
    }
  ],
  "warnings": []
}
`,
		},
	}
	for _, tt := range cases {
		t.Run(tt.name, func(t *testing.T) {
			p := command(t, nil, append([]string{"check"}, tt.args...)...)
			require.Equal(t, tt.code, p.exit())
			require.Equal(t, c.fill(tt.stdout), p.output())
			require.Equal(t, c.fill(tt.stderr), p.stderr())
		})
	}
}

// Configuration management checks a file before it is in place.
func TestCheck_OtherName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tmp1x2y3z")
	require.NoError(t, os.WriteFile(path, []byte(`role = "single"`), 0o600))
	p := command(t, nil, "check", path)
	require.Equal(t, 0, p.exit())
	require.Equal(t, path+": good: single host\n", p.output())
}

// The role package knows the length of a unit's temp_dir, and not where it is from.
func TestCheck_LongInstanceName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "role")
	require.NoError(t, os.WriteFile(path, []byte("role = 'worker'\ncluster.head = 'a:1'\nauth.mode = 'none'\n"), 0o600))
	for name, code := range map[string]int{strings.Repeat("n", 19): 0, strings.Repeat("n", 20): 78} {
		p := command(t, nil, "check", path, "--as", "/etc/raynoded/"+name+".toml")
		require.Equal(t, code, p.exit(), name)
		require.Equal(t, code == 0, len(host.UnitDirs(name).Temp) <= ray.MaxTempDir, name)
	}
}
