package role

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFiles_Same(t *testing.T) {
	path := write(t, map[string]string{"role.toml": "role = 'single'\n", "role.toml.d/a.toml": "# a\n"})
	before := Read(path)
	require.True(t, before.Same(Read(path)))
	for _, step := range []struct {
		name string
		edit func() error
		same bool
	}{
		{"other content", func() error { return os.WriteFile("role.toml", []byte("role = 'single'\n#\n"), 0o600) }, false},
		{"the same content", func() error { return os.WriteFile("role.toml", []byte("role = 'single'\n#\n"), 0o600) }, true},
		{"a new drop-in", func() error { return os.WriteFile("role.toml.d/b.toml", nil, 0o600) }, false},
		{"no drop-in", func() error { return os.WriteFile("role.toml.d/.b.toml", nil, 0o600) }, true},
		{"one that went", func() error { return os.Remove("role.toml.d/b.toml") }, false},
		{"another name", func() error { return os.Rename("role.toml.d/a.toml", "role.toml.d/c.toml") }, false},
		{"a broken link", func() error { return os.Symlink("none", "role.toml.d/link.toml") }, false},
		{"no folder", func() error { return os.RemoveAll("role.toml.d") }, false},
		{"no role file", func() error { return os.Remove("role.toml") }, false},
		{"a folder in its place", func() error { return os.Mkdir("role.toml", 0o700) }, false},
	} {
		require.NoError(t, step.edit())
		now := Read(path)
		require.Equal(t, step.same, before.Same(now), step.name)
		before = now
	}
}

func TestFiles_Finished(t *testing.T) {
	path := write(t, map[string]string{"role.toml": "role = 'single'", "role.toml.d/empty.toml": ""})
	before := Read(path)
	for _, step := range []struct {
		text string
		want bool
	}{
		{text: "role = 'single'\n# more\n", want: true},
		{text: "role = 'single'\n# mo", want: false},
		{text: "", want: false},
		{text: "\n", want: false},
		{text: "role = 'sing\n", want: false},
	} {
		require.NoError(t, os.WriteFile("role.toml", []byte(step.text), 0o600))
		require.Equal(t, step.want, Read(path).Finished(before), "%q", step.text)
	}
	require.NoError(t, os.Remove("role.toml"))
	require.False(t, Read(path).Finished(before), "the role file is gone")
}

func TestReadAs(t *testing.T) {
	write(t, map[string]string{
		"role.toml":            "role = 'single'\n",
		"role.toml.d/10.toml":  "stop.grace = '1s'\n",
		"role.toml.d/30.toml":  "stop.grace = '3s'\n",
		"tmp/main":             "role = 'single'\nstop.drain = '9s'\n",
		"tmp/drop":             "stop.grace = '2s'\n",
		"tmp/bad":              "\nstop.grace = 2\n",
		"other.toml.d/10.toml": "",
	})
	for _, c := range []struct {
		file, place string
		files       []string
		grace       string
		drain       string
		err         string
	}{
		{
			file: "tmp/main", place: "role.toml", grace: "3s", drain: "9s",
			files: []string{"role.toml", "role.toml.d/10.toml", "role.toml.d/30.toml"},
		},
		{
			file: "tmp/drop", place: "role.toml.d/10.toml", grace: "3s", drain: "0s",
			files: []string{"role.toml", "role.toml.d/10.toml", "role.toml.d/30.toml"},
		},
		{
			file: "tmp/drop", place: ".//role.toml.d/10.toml", grace: "3s", drain: "0s",
			files: []string{"role.toml", "role.toml.d/10.toml", "role.toml.d/30.toml"},
		},
		{
			file: "tmp/drop", place: "role.toml.d/20.toml", grace: "3s", drain: "0s",
			files: []string{"role.toml", "role.toml.d/10.toml", "role.toml.d/20.toml", "role.toml.d/30.toml"},
		},
		{
			file: "tmp/drop", place: "role.toml.d/40.toml", grace: "2s", drain: "0s",
			files: []string{"role.toml", "role.toml.d/10.toml", "role.toml.d/30.toml", "role.toml.d/40.toml"},
		},
		{file: "tmp/main", place: "new.toml", grace: "5s", drain: "9s", files: []string{"new.toml"}},
		{
			file: "tmp/bad", place: "role.toml",
			err: "role.toml:1:1: role: must be \"head\", \"worker\", \"single\" or \"auto\", got nothing\n" +
				"role.toml:2:14: stop.grace: must be a duration such as \"500ms\", \"10s\" or \"5m\", got 2",
		},
		{
			file: "tmp/bad", place: "role.toml.d/20.toml",
			err: "role.toml.d/20.toml:2:14: stop.grace: must be a duration such as \"500ms\", \"10s\" or \"5m\", got 2",
		},
		{
			file: "tmp/none", place: "role.toml.d/20.toml",
			err: "role.toml.d/20.toml:1:1: cannot read: no such file or directory",
		},
		{
			file: "tmp/drop", place: "other.toml.d/20.toml",
			err: "cannot load other.toml: there is no role file",
		},
		{
			file: "tmp/drop", place: "role.toml.d/50-x.conf",
			err: "role.toml.d/50-x.conf:1:1: must be named NAME.toml, without a dot in front, or it is never read",
		},
		{
			file: "tmp/drop", place: "role.toml.d/.50-x.toml",
			err: "role.toml.d/.50-x.toml:1:1: must be named NAME.toml, without a dot in front, or it is never read",
		},
		{
			file: "tmp/drop", place: "role.toml.d/README",
			err: "role.toml.d/README:1:1: must be named NAME.toml, without a dot in front, or it is never read",
		},
		{
			file: "tmp/drop", place: "role.toml.d/sub/50-x.toml",
			err: "role.toml.d/sub/50-x.toml:1:1: must be directly in the folder of the drop-ins, or it is never read",
		},
		{
			file: "tmp/drop", place: "role.d/50-x.toml",
			err: "role.d/50-x.toml:1:1: must be in role.toml.d, or it is never read",
		},
		{
			file: "tmp/main", place: "/etc/raynoded/role.conf",
			err: "/etc/raynoded/role.conf:1:1: must be named NAME.toml, or no unit reads it",
		},
	} {
		r, err := ReadAs(c.file, c.place).Load()
		if c.err != "" {
			require.EqualError(t, err, c.err)
			continue
		}
		require.NoError(t, err, c.place)
		require.Equal(t, c.files, r.Files)
		require.Equal(t, c.grace, r.Stop.Grace.String())
		require.Equal(t, c.drain, r.Stop.Drain.String())
	}
}

// A longer name was good, and ended with 71 at the start.
func TestLoad_LongInstanceName(t *testing.T) {
	const (
		worker   = "role = 'worker'\ncluster.head = 'a:1'\nauth.mode = 'none'\n"
		fits     = "nineteen-bytes-long"
		too      = "twenty-bytes-are-not"
		complain = "/etc/raynoded/twenty-bytes-are-not.toml:1:1: ray.temp_dir: must be set, or the instance's name have " +
			"at most 19 bytes, as Ray makes Unix sockets in /var/lib/raynoded/twenty-bytes-are-not/ray: at most 41 bytes, got 42"
	)
	for name, c := range map[string]struct {
		path string
		text string
		want string
	}{
		"it fits":              {path: "/etc/raynoded/" + fits + ".toml", text: worker},
		"too long":             {path: "/etc/raynoded/" + too + ".toml", text: worker, want: complain},
		"another temp_dir":     {path: "/etc/raynoded/" + too + ".toml", text: worker + "ray.temp_dir = '/srv/ray'"},
		"without Ray":          {path: "/etc/raynoded/" + too + ".toml", text: "role = 'single'"},
		"of no unit":           {path: "/srv/" + too + ".toml", text: worker},
		"the default instance": {path: "/etc/raynoded/role.toml", text: worker},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Files{texts: []text{{path: c.path, data: []byte(c.text)}}}.Load()
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, c.want)
		})
	}
}
