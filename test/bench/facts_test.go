//go:build bench

package bench

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func (b *bench) fact(format string, args ...any) {
	b.Facts = append(b.Facts, fmt.Sprintf(format, args...))
}

// where notes the machine, the hosts and the versions.
func (b *bench) where(t *testing.T) {
	t.Helper()
	var kernel unix.Utsname
	require.NoError(t, unix.Uname(&kernel))
	var memory unix.Sysinfo_t
	require.NoError(t, unix.Sysinfo(&memory))
	b.fact("Measured on %s.", time.Now().Format(time.DateOnly))
	b.fact("Machine: %s, %d CPUs, %.0f GiB, Linux %s.", processor(t), runtime.NumCPU(),
		float64(memory.Totalram)*float64(memory.Unit)/(1<<30), unix.ByteSliceToString(kernel.Release[:]))
	h := b.worker
	system := h.Sh(t, `. /etc/os-release; echo "$PRETTY_NAME, $(systemctl --version | sed -n '1s/ *(.*//p')"`)
	python := h.Sh(
		t,
		`/opt/ray/bin/python3 -c 'import platform, importlib.metadata as m; `+
			`print("Ray", m.version("ray"), "on Python", platform.python_version())'`,
	)
	b.fact(
		"Hosts: two containers on it with a booted systemd each (%s), a head and a worker, %s, auth.mode none.", system,
		python,
	)
	program, err := os.Stat(h.Root + "/usr/bin/raynoded")
	require.NoError(t, err)
	b.fact("%s from its .deb: the program has %s MB.", h.Sh(t, "raynoded version"), Number(float64(program.Size())/1e6))
}

func processor(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/cpuinfo")
	require.NoError(t, err)
	if m := regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`).FindStringSubmatch(string(text)); m != nil {
		return m[1]
	}
	return runtime.GOARCH
}

func load(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	require.NoError(t, err)
	return strings.Fields(string(text))[0]
}
