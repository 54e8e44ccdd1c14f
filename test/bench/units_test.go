//go:build bench

package bench

import (
	"fmt"
	"strings"
	"testing"

	"github.com/raynoded/raynoded/daemon/ray"
)

// The units that are measured. All of them run as the user raynoded, with Ray's files on the same
// disk.
const (
	raynoded = "raynoded.service" // as it is installed
	loop     = "loop.service"
	block    = "block.service"
	bare     = "bare.service"
)

const (
	rolePath = "/etc/raynoded/role.toml"
	benchDir = "/var/lib/bench/ray" // Ray's folder for the others
	size     = 100_000_000          // bytes of the object store
)

// role is a role file with everything at its default that does not make the node small.
func role(kind, more string) string {
	return fmt.Sprintf(`role = %q
[cluster]
head = "a.lab:6379"
[ray]
num_cpus = 1
object_store_memory = "%dMB"
[auth]
mode = "none"
%s`, kind, size/1_000_000, more)
}

// joining are the words by which the others make a host a worker: a person's own, and a small node.
func (c *cluster) joining(h *host) string {
	return fmt.Sprintf(
		"--address=%s:6379 --node-name=%s --temp-dir=%s --num-cpus=1 --object-store-memory=%d", c.head.Address, h.Name,
		benchDir, size,
	)
}

const service = `[Service]
User=raynoded
StateDirectory=bench
Environment=RAY_USAGE_STATS_ENABLED=0 PATH=/opt/ray/bin:/usr/local/bin:/usr/bin:/bin
`

// keep has systemd leave alone what a unit leaves behind when it ends by itself: otherwise it could
// not be counted.
const keep = "KillMode=process\n"

// loopScript is what the recipes do on a worker, less the `ray stop --force` before and after it.
const loopScript = `#!/bin/bash
ray start %s
while ray status --address=%s:6379 >/dev/null 2>&1; do
	sleep 5
done
exit 0
`

func (c *cluster) putLoop(t *testing.T, h *host, more string) {
	t.Helper()
	h.Put(t, "/srv/loop", fmt.Sprintf(loopScript, c.joining(h), c.head.Address), "755")
	h.putUnit(t, loop, service+"ExecStart=/srv/loop\n"+more)
}

func (c *cluster) putBlock(t *testing.T, h *host, more string) {
	t.Helper()
	h.putUnit(t, block, service+"ExecStart=/opt/ray/bin/ray start --block "+c.joining(h)+"\n"+more)
}

// putBare is a unit that is started when the `ray start` has returned that raynoded itself would
// run, with the same flags and environment. To stop it is to kill it.
func putBare(t *testing.T, h *host, node ray.Node) {
	t.Helper()
	var env strings.Builder
	for _, entry := range append(node.Env(), "PATH=/opt/ray/bin:/usr/local/bin:/usr/bin:/bin",
		"RAY_USAGE_STATS_ENABLED=0") {
		fmt.Fprintf(&env, "Environment=%s\n", entry)
	}
	h.putUnit(t, bare, fmt.Sprintf("%s%sType=oneshot\nRemainAfterExit=yes\nKillSignal=SIGKILL\nExecStart=%s %s\n",
		service, env.String(), node.Role.Ray.Bin, strings.Join(node.Args(), " ")))
}

func (h *host) putUnit(t *testing.T, name, text string) {
	t.Helper()
	h.Put(t, "/etc/systemd/system/"+name, text, "644")
	h.Sh(t, "systemctl daemon-reload")
}
