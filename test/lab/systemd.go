package lab

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Show returns properties of a unit, as `systemctl show` prints them.
func (h *Host) Show(t testing.TB, unit string, properties ...string) map[string]string {
	t.Helper()
	text := h.must(t, "systemctl", "show", "--property="+strings.Join(properties, ","), unit)
	values := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		values[name] = value
	}
	return values
}

// Journal returns what journalctl prints with the arguments, after all that was
// logged until now has been written.
func (h *Host) Journal(t testing.TB, arguments ...string) string {
	t.Helper()
	h.must(t, "journalctl", "--sync")
	return h.must(t, append([]string{"journalctl", "--no-pager", "--quiet"}, arguments...)...)
}

// Put writes a file in the host, with its folders; mode is as chmod takes it.
// The file appears whole under its name.
func (h *Host) Put(t testing.TB, path, content, mode string) {
	t.Helper()
	const script = `mkdir -p "$(dirname "$0")" && cat >"$0.put" && chmod "$1" "$0.put" && mv "$0.put" "$0"`
	result := h.run(t, strings.NewReader(content), "sh", "-c", script, path, mode)
	require.Zero(t, result.Code, "cannot write %s: %s", path, result.Stderr)
}

// Copy copies a file of the machine into the host.
func (h *Host) Copy(t testing.TB, from, to, mode string) {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	h.Put(t, to, string(content), mode)
}

// Get reads a file in the host.
func (h *Host) Get(t testing.TB, path string) string {
	t.Helper()
	return h.must(t, "cat", "--", path)
}

func (h *Host) must(t testing.TB, argv ...string) string {
	t.Helper()
	result := h.run(t, nil, argv...)
	require.Zero(t, result.Code, "on host %s: %q: %s", h.Name, argv, result.Stderr)
	return result.Stdout
}
