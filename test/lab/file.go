package lab

import (
	"path/filepath"
	"testing"
)

// File returns the absolute path of a file of the checkout, such as "etc/raynoded/worker.toml". It
// need not exist.
func File(t testing.TB, path string) string {
	t.Helper()
	return filepath.Join(find(t).Checkout, path)
}
