//go:build systemd

package faults

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// mendedCells are what is wrong on a host, and how a standing worker finds that it no longer is.
func mendedCells() []cell {
	// It tries again every 10 s, and then asks the head first.
	mended := map[way]fates{
		stands: {head: unharmed(), worker: outcome{state: isIn, says: "starting", most: 12 * time.Second}},
	}
	var first *lab.Process
	return []cell{
		{
			fault: "a port of the worker is taken, and given back", prepare: headOnly, worker: "ray.ports.node_manager = 7001\n",
			do: func(t *testing.T, try *trial) {
				squatter := squat(t, try.Worker, 7001)
				joins(t, try)
				try.Worker.AwaitLine(
					t, try.began, "this host is not fit: ray.ports.node_manager: port 7001 of 10.77.0.2 is taken *",
				)
				squatter.Signal(t, syscall.SIGKILL)
				try.began = host.Clock(t)
			},
			want: mended,
		}, {
			fault: "the worker has another token, and gets the right one", prepare: headOnly,
			worker: "auth.token_file = \"/etc/raynoded/other\"\n",
			do: func(t *testing.T, try *trial) {
				joins(t, try)
				try.Worker.AwaitLine(t, try.began, "the token was refused: *")
				try.Worker.Sh(t, "echo "+host.Token+" >/etc/raynoded/other")
				try.began = host.Clock(t)
			},
			want: mended,
		}, {
			fault: "the worker has another Python than the head",
			prepare: func(t *testing.T, try *trial) {
				try.Pair = mixedPair(t)
				try.Worker.LayOver(t, "0-way", over[try.way])
				headOnly(t, try)
			},
			do: joins,
			want: map[way]fates{
				perJob: {head: unharmed(), worker: broken(76, otherPython, 0, 5*time.Second)},
				stands: {head: unharmed(), worker: outcome{state: holds, says: otherPython, most: 5 * time.Second}},
			},
		}, {
			fault: "a raynoded that somebody started by hand has the role", worker: "auth.token_file = " +
				"\"/etc/raynoded/other\"\n",
			prepare: func(t *testing.T, try *trial) {
				try.Worker.Put(t, "/etc/raynoded/other", host.Token+"\n", "640")
				try.Worker.Sh(t, "chgrp raynoded /etc/raynoded/other")
				first = try.Worker.Start(t, "raynoded", "run", "--role", host.RolePath)
				lab.Until(
					t, lab.Patience, "it waits for a head",
					func() bool { return strings.Contains(first.Output(), "connection refused") },
				)
			},
			do: func(t *testing.T, try *trial) {
				require.Equal(t, 1, try.Worker.Run(t, "systemctl start "+host.Unit).Code)
				try.began = host.Clock(t) // a second start must find the same: the end of the first has taken nothing away
				joins(t, try)
			},
			undo: func(t *testing.T, try *trial) {
				first.Signal(t, syscall.SIGTERM)
				require.Zero(t, first.Wait(t, lab.Patience))
				try.Worker.Sh(t, "systemctl stop "+host.Unit+"; rm -rf /run/raynoded/role")
			},
			want: map[way]fates{
				perJob: {
					head:   outcome{state: isDown},
					worker: broken(73, "another raynoded runs this role: /var/lib/raynoded/role/lock is locked", 0, 2*time.Second),
				},
			},
		},
	}
}

const otherPython = "the head is not one this node may join: ray.bin: /opt/ray/bin/ray has Python 3.13.5, the head " +
	"a.lab:6379 has 3.11.2: install the same on both"

// mixedPair is a head and a worker of two Debians, whose Pythons differ.
func mixedPair(t *testing.T) *host.Pair {
	t.Helper()
	hosts := host.BootBare(t, lab.HostOptions{Name: "a", Root: "bookworm"}, lab.HostOptions{Name: "b", Root: "trixie"})
	for _, h := range hosts {
		h.Install(t, lab.Package(t))
	}
	return host.PairOf(t, hosts)
}

// squat takes a port of a host.
func squat(t *testing.T, h *host.Host, port int) *lab.Process {
	t.Helper()
	program := fmt.Sprintf(`import socket; s = socket.create_server(("", %d)); print("there"); s.accept()`, port)
	squatter := h.Start(t, "/opt/ray/bin/python3", "-u", "-c", program)
	lab.Until(t, lab.Patience, "the port is taken", func() bool { return squatter.Output() == "there\n" })
	return squatter
}
