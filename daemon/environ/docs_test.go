package environ

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/test/page"
)

var update = flag.Bool("update", false, "rewrite the tables of docs/environment.md")

const document = "../../docs/environment.md"

// The tables of the document are those of the profiles.
func TestDocs_Profiles(t *testing.T) {
	var text strings.Builder
	paths, err := filepath.Glob(shipped + "/*.toml")
	require.NoError(t, err)
	for _, path := range paths {
		p, err := role.LoadProfile(path)
		require.NoError(t, err)
		fmt.Fprintf(&text, "### %s\n\n%s\n\n%s\n", p.Name, p.About, rows("sets", p.Env))
		if len(p.Omitted) > 0 {
			fmt.Fprintf(&text, "%s\n", rows("does not set", p.Omitted))
		}
	}
	copied := write(t, filepath.Join(t.TempDir(), "environment.md"), string(content(t, document)), 0o600)
	require.NoError(t, page.Replace(copied, "the profiles", strings.TrimSpace(text.String())))
	if *update {
		require.NoError(t, os.WriteFile(document, content(t, copied), 0o644))
	}
	require.Equal(
		t, string(content(t, copied)), string(content(t, document)), "go test ./daemon/environ -update writes it",
	)
}

// rows is one table, without a title and without padding, as reasons are long.
func rows(title string, settings map[string]role.ProfileValue) string {
	text := "| " + title + " | why | source |\n| --- | --- | --- |\n"
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		s := settings[name]
		text += fmt.Sprintf("| `%s=%s` | %s | %s, %s |\n", name, s.Value, s.Reason, s.Source, s.Date)
	}
	return text
}

func content(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return text
}

// What the document says about a vendor's script makes a file that can be read.
func TestDocs_VendorScript(t *testing.T) {
	_, rest, found := strings.Cut(string(content(t, document)), "```sh\nscript=")
	require.True(t, found)
	command, _, _ := strings.Cut("script="+rest, "```")
	dir := t.TempDir()
	vendor := write(
		t, filepath.Join(dir, "set_nccl_env.sh"),
		"echo hello\nnet=gIB\nexport NCCL_NET=$net NCCL_CROSS_NIC=0\nexport OTHER=1\nexport "+
			"LD_LIBRARY_PATH=/usr/local/gib/lib64:$LD_LIBRARY_PATH\n",
		0o644,
	)
	command = strings.ReplaceAll(command, "/usr/local/gib/scripts/set_nccl_env.sh", vendor)
	command = strings.ReplaceAll(command, "/etc/raynoded/", dir+"/")
	require.Contains(t, command, "chgrp raynoded ")
	// No package is installed here.
	command = strings.ReplaceAll(
		command, "chgrp raynoded ", fmt.Sprintf("chgrp %d ", os.Getgid()),
	)
	cmd := exec.Command("bash", "-c", command)
	cmd.Stderr = os.Stderr
	require.NoError(t, cmd.Run())
	made := filepath.Join(dir, "vendor.env")
	f, err := ParseFile(made, string(content(t, made)), role.EnvFrom{NCCLDelivery: role.DeliverFile})
	require.NoError(t, err)
	got := map[string]string{}
	for _, s := range f.Settings {
		got[s.Name] = s.value
	}
	require.Equal(
		t, map[string]string{"NCCL_NET": "gIB", "NCCL_CROSS_NIC": "0", "LD_LIBRARY_PATH": "/usr/local/gib/lib64:"}, got,
	)
}
