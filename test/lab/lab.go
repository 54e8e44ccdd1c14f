package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Lab is a checkout with the .lab folder that test/setup fills.
type Lab struct {
	// Checkout is the absolute path of the folder that holds go.mod.
	Checkout string
}

// Find returns the lab of the checkout that holds the working folder, which
// for a test is its package's. It fails outside of a checkout.
func Find() (*Lab, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return &Lab{Checkout: dir}, nil
		}
		if dir == filepath.Dir(dir) {
			return nil, errors.New("cannot find the checkout: no go.mod above the working folder")
		}
	}
}

func find(t testing.TB) *Lab {
	t.Helper()
	l, err := Find()
	require.NoError(t, err)
	return l
}

// piece is the path of something that test/setup makes.
func (l *Lab) piece(name string) string {
	return filepath.Join(l.Checkout, ".lab", name)
}

// hosts is the folder with a folder for each network that is up, under the name that the kernel has
// for what is mounted there: .lab may be a link.
func (l *Lab) hosts() string {
	path, err := filepath.EvalSymlinks(l.piece("hosts"))
	if err != nil {
		return l.piece("hosts")
	}
	return path
}

// Binary returns the program that make built: the one with the race detector
// where there is one. The test is skipped where there is none.
func Binary(t testing.TB) string {
	t.Helper()
	l := find(t)
	for _, name := range []string{"raynoded.race", "raynoded"} {
		path := filepath.Join(l.Checkout, "bin", name)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skip("no program in bin/: run make build")
	return ""
}

// Package returns the newest .deb for this machine's architecture in dist/.
// The test is skipped where there is none.
func Package(t testing.TB) string {
	t.Helper()
	pattern := filepath.Join(find(t).Checkout, "dist", fmt.Sprintf("raynoded_*_%s.deb", runtime.GOARCH))
	paths, err := filepath.Glob(pattern)
	require.NoError(t, err)
	if len(paths) == 0 {
		t.Skip("no " + filepath.Base(pattern) + " in dist/: run make package")
	}
	return slices.MaxFunc(paths, func(a, b string) int { return changed(t, a).Compare(changed(t, b)) })
}

func changed(t testing.TB, path string) time.Time {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.ModTime()
}
