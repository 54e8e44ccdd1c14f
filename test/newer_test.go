//go:build systemd

package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// newerTime is the time of the newer packages: the first second of 2026, which in many a place is
// 2025.
const newerTime = "SOURCE_DATE_EPOCH=1767225600"

// newerNews is what their changelog begins with.
const newerNews = "## 9.0.0 - 2026-01-01\n\n- Everything is newer.\n\n"

// newer is the folder with packages of a higher version, 9.0.0, made from the same source but for
// their news.
var newer = sync.OnceValues(func() (string, error) {
	l, err := lab.Find()
	if err != nil {
		return "", err
	}
	source, err := os.MkdirTemp("", "newer")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(source)
	if err := copyNewer(l, source); err != nil {
		return "", err
	}
	dir := filepath.Join(l.Checkout, ".lab", "newer")
	build := exec.Command("make", "package", "VERSION=9.0.0", "DIST="+dir, "ARCHES="+runtime.GOARCH)
	build.Dir = source
	build.Env = append(os.Environ(), newerTime, "MAKEFLAGS=", "TZ=America/New_York")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// copyNewer copies the checkout as it is, and makes what is new in it: a changelog and a
// configuration file.
func copyNewer(l *lab.Lab, dir string) error {
	out, err := exec.Command("sh", "-c", `tar --create --directory="$0" --exclude=./.git --exclude=./.lab \
		--exclude=./bin --exclude=./dist \
		. |
		tar --extract --touch --directory="$1"`, l.Checkout, dir).
		CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	news := filepath.Join(dir, "CHANGELOG.md")
	old, err := os.ReadFile(news)
	if err != nil {
		return err
	}
	top, rest, _ := strings.Cut(string(old), "## ")
	if err := os.WriteFile(news, []byte(top+newerNews+"## "+rest), 0o600); err != nil {
		return err
	}
	conf, err := os.OpenFile(filepath.Join(dir, "packaging/needrestart.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer conf.Close()
	_, err = conf.WriteString(newerConf)
	return err
}

// newerConf is what is new in the only configuration file.
const newerConf = "# New in 9.0.0.\n"

func newerPackage(t *testing.T, pattern string) string {
	t.Helper()
	dir, err := newer()
	require.NoError(t, err)
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, pattern)
	return found[0]
}
