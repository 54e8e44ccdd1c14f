package main

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestRun_LogAsJSON(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "cluster.join_timeout = \"300ms\"\nlog.format = \"json\"\n")
	p := h.run()
	require.Equal(t, 69, p.exit())
	var phases []any
	var last map[string]any
	for _, line := range p.said {
		last = nil
		require.NoError(t, json.Unmarshal([]byte(line), &last), line)
		if last["msg"] == last["phase"] {
			phases = append(phases, last["phase"])
		}
	}
	require.Equal(t, []any{"waiting", "stopping"}, phases)
	delete(last, "time")
	require.Equal(t, map[string]any{
		"level": "error", "exit": 69.0, "role": "worker", "instance": "worker",
		"msg": h.fill(
			"ended: the head cannot be reached within cluster.join_timeout (300ms): cannot reach head $HEAD: connection refused",
		),
	}, last)
}

func TestRun_LogLevel(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, "cluster.join_timeout = \"300ms\"\nlog.level = \"error\"\n")
	h.ends(h.run(), 69, "the head cannot be reached within *")
}

// Who closes the terminal wants the node to end.
func TestRun_TerminalHangsUp(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("single", singleRole)
	master, stdin := openTerminal(t)
	p := h.runWith(stdin)
	p.until(" running")
	require.NoError(t, master.Close())
	h.ends(p, 0, "asked to stop: hangup")
}

func TestWait_TerminalHangsUp(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole)
	master, stdin := openTerminal(t)
	p := commandAt(t, stdin, h.env, "wait", "--role", h.role())
	p.until("cannot reach head")
	require.NoError(t, master.Close())
	require.Equal(t, 75, p.exit())
}

// openTerminal makes a terminal: closing its master is what a lost connection of ssh does.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = master.Close() })
	fd := int(master.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = slave.Close() })
	return master, slave
}
