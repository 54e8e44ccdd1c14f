package dist

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

// NewerTime is the time of the newer packages: the first second of 2026, which in many a place is
// 2025.
const NewerTime = "SOURCE_DATE_EPOCH=1767225600"

// newerNews is what their changelog begins with.
const newerNews = "## 9.0.0 - 2026-01-01\n\n- Everything is newer.\n\n"

// newer is the folder with them, made once.
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
	if err := CopyNewer(l, source); err != nil {
		return "", err
	}
	dir := filepath.Join(l.Checkout, ".lab", "newer")
	build := exec.Command("make", "package", "VERSION=9.0.0", "DIST="+dir, "ARCHES="+runtime.GOARCH)
	build.Dir = source
	build.Env = append(os.Environ(), NewerTime, "MAKEFLAGS=", "TZ=America/New_York")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// CopyNewer copies the checkout as it is, and makes what is new in it: a changelog and a
// configuration file.
func CopyNewer(l *lab.Lab, dir string) error {
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
	_, err = conf.WriteString(NewerConf)
	return err
}

// NewerConf is what is new in the only configuration file.
const NewerConf = "# New in 9.0.0.\n"

// Newer is a package of version 9.0.0, of the same source and a name like a pattern of
// [filepath.Match]. The first call of a test binary builds it, into .lab/newer.
func Newer(t *testing.T, pattern string) string {
	t.Helper()
	dir, err := newer()
	require.NoError(t, err)
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(t, err)
	require.Len(t, found, 1, pattern)
	return found[0]
}
