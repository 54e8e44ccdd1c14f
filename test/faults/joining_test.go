//go:build systemd

package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
	"github.com/raynoded/raynoded/test/lab"
)

// TestMatrix_Joining is what can go wrong while a worker joins. Unless a cell says otherwise its
// head runs and the worker does not when it begins.
func TestMatrix_Joining(t *testing.T) {
	const (
		nobody   = "cannot reach head a.lab:6379: *" // refused, or no answer where the time ends as it asks
		notOurs  = "the head is not one this node may join: "
		vanished = "the head cannot be reached: it went away while this node joined: *"
		gcsDied  = "Ray failed: gcs_server ended with signal killed"
	)
	alone := func(*testing.T, *trial) {}
	absent := outcome{state: isDown}
	mends := func(says string) outcome { return outcome{state: holds, says: says, most: 5 * time.Second} }
	refused := func(code int, says string) map[way]fates {
		return map[way]fates{
			perJob: {head: unharmed(), worker: broken(code, says, 0, 5*time.Second)},
			stands: {head: unharmed(), worker: mends(says)},
		}
	}
	runCells(t, append([]cell{
		{
			fault: "there is no head", core: true, worker: "cluster.join_timeout = \"4s\"\n", prepare: alone, do: joins,
			want: map[way]fates{
				perJob: {
					head: absent,
					worker: restarted(
						69, "the head cannot be reached within cluster.join_timeout (4s): "+nobody, 4*time.Second, 6*time.Second,
					),
				},
				stands: {head: absent, worker: mends(nobody)},
			},
		}, {
			fault: "the head comes after the worker", prepare: alone,
			do: func(t *testing.T, try *trial) {
				joins(t, try)
				try.Worker.AwaitLine(t, try.began, nobody)
				try.Head.Sh(t, "systemctl start "+host.Unit)
			},
			want: map[way]fates{
				perJob: {head: outcome{state: isIn}, worker: outcome{state: isIn, says: "running"}},
				stands: {head: outcome{state: isIn}, worker: outcome{state: isIn, says: "running"}},
			},
		}, {
			fault: "the head's GCS is killed while `ray start` of the worker runs", prepare: headOnly, core: true,
			do: func(t *testing.T, try *trial) {
				joins(t, try)
				try.rayStart(t)
				try.Worker.Freeze(t, true)
				try.Head.Signal(t, "KILL", "gcs_server")
				try.Worker.Freeze(t, false)
			},
			want: map[way]fates{
				perJob: {head: restarted(70, gcsDied, 0, 10*time.Second), worker: restarted(69, vanished, 0, 15*time.Second)},
				stands: {head: restarted(70, gcsDied, 0, 10*time.Second), worker: outcome{state: isIn, says: vanished}},
			},
		}, {
			fault: "another cluster than the pinned one", prepare: headOnly, do: joins,
			worker: "cluster.id = \"" + strings.Repeat("0f", 28) + "\"\n",
			want:   refused(76, notOurs+"cluster.id: pinned to "+strings.Repeat("0f", 28)+", but a.lab:6379 is *"),
		}, {
			fault: "the worker has another Ray than the head",
			prepare: func(t *testing.T, try *trial) {
				headOnly(t, try)
				try.relabel(t, "2.60.0", "2.59.0")
			},
			do:   joins,
			undo: func(t *testing.T, try *trial) { try.relabel(t, "2.59.0", "2.60.0") },
			want: refused(
				76,
				notOurs+"ray.bin: /opt/ray/bin/ray has Ray 2.59.0, the head a.lab:6379 has 2.60.0: install the same on both",
			),
		}, {
			fault: "the head wants a token, the worker has none", prepare: headOnly, do: joins, worker: "auth.mode = \"none\"\n",
			want: refused(77, "the token was refused: *: auth.mode and the token must be those of the head (a.lab:6379)"),
		}, {
			fault: "the worker has another token", prepare: headOnly, do: joins,
			worker: "auth.token_file = \"/etc/raynoded/other\"\n", // every cell's files are laid over before it is prepared
			want:   refused(77, "the token was refused: *: auth.mode and the token must be those of the head (a.lab:6379)"),
		}, {
			fault: "a port of the worker is taken", do: joins, worker: "ray.ports.node_manager = 7001\n",
			prepare: func(t *testing.T, try *trial) {
				headOnly(t, try)
				squatter := try.Worker.Start(t, "/opt/ray/bin/python3", "-u", "-c",
					"import socket; s = socket.create_server((\"\", 7001)); print(\"there\"); s.accept()")
				lab.Until(t, lab.Patience, "the port is taken", func() bool { return squatter.Output() == "there\n" })
			},
			want: refused(
				71,
				"this host is not fit: ray.ports.node_manager: port 7001 of 10.77.0.2 is taken by another program: "+
					"stop that one (ss -ltnp shows it) or choose another port",
			),
		}, {
			fault: "`ray start` of the worker is killed half-way", prepare: headOnly,
			do: func(t *testing.T, try *trial) {
				joins(t, try)
				try.Worker.Sh(t, fmt.Sprintf("kill -KILL %d", try.rayStart(t)))
			},
			want: map[way]fates{
				perJob: {
					head:   unharmed(),
					worker: restarted(70, "Ray failed: `ray start` ended with signal killed*", 0, 10*time.Second),
				},
				stands: {
					head:   unharmed(),
					worker: restarted(70, "Ray failed: `ray start` ended with signal killed*", 0, 10*time.Second),
				},
			},
		}, {
			fault: "`ray start` of the worker hangs", prepare: headOnly, worker: "ray.start_timeout = \"5s\"\n",
			do: func(t *testing.T, try *trial) {
				joins(t, try)
				try.Worker.Sh(t, fmt.Sprintf("kill -STOP %d", try.rayStart(t)))
			},
			want: map[way]fates{
				perJob: {
					head:   unharmed(),
					worker: restarted(70, "Ray failed: * within ray.start_timeout (5s)*", 5*time.Second, 13*time.Second),
				},
			},
		}, {
			fault: "a second raynoded with the same role file",
			do: func(t *testing.T, try *trial) {
				second := try.Worker.Run(t, "runuser -u raynoded -- env STATE_DIRECTORY=/var/lib/raynoded/role "+
					"RUNTIME_DIRECTORY=/run/raynoded/role raynoded run --role "+host.RolePath)
				require.Equal(t, 73, second.Code, second.Stderr)
				require.Contains(t, second.Stderr, "ended: another raynoded runs this role: /var/lib/raynoded/role/lock is locked")
			},
			want: map[way]fates{
				perJob: {head: unharmed(), worker: unharmed()},
				stands: {head: unharmed(), worker: unharmed()},
			},
		},
	}, mendedCells()...))
}

func headOnly(t *testing.T, try *trial) {
	t.Helper()
	try.Worker.Put(t, "/etc/raynoded/other", "w"+host.Token+"\n", "640")
	try.Worker.Sh(t, "chgrp raynoded /etc/raynoded/other")
	try.Head.Sh(t, "systemctl start "+host.Unit)
}

// joins starts the worker and does not wait for it.
func joins(t *testing.T, try *trial) {
	t.Helper()
	try.Worker.Sh(t, "systemctl start --no-block "+host.Unit)
}

// rayStart waits for the worker's `ray start` and returns its number.
func (try *trial) rayStart(t *testing.T) (pid int) {
	t.Helper()
	lab.Until(t, lab.Patience, "`ray start` runs", func() bool {
		for _, p := range try.Worker.ProcsIn(t, host.Unit) {
			if slices.Contains(p.Args, "/opt/ray/bin/ray") && slices.Contains(p.Args, "start") {
				pid = p.Pid
			}
		}
		return pid > 0
	})
	return pid
}

// relabel makes the worker's install say that it is another release.
func (try *trial) relabel(t *testing.T, from, to string) {
	t.Helper()
	try.Worker.Sh(t, fmt.Sprintf("sed -i '/^[vV]ersion/s/%s/%s/' /opt/ray/lib/python3.*/site-packages/ray/_version.py "+
		"/opt/ray/lib/python3.*/site-packages/ray-*.dist-info/METADATA", from, to))
}
