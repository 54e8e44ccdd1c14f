package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"syscall"

	"github.com/raynoded/raynoded/daemon/child"
)

// kept is what the state folder says of the processes that one `ray start` left behind. If raynoded itself is killed
// where no systemd cleans up after it, the next one ends exactly these, and nothing else.
type kept struct {
	Boot      string          `json:"boot_id"` // a start time means something within one boot only
	Processes []child.Process `json:"processes"`
}

func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// keep writes down who is there. It is no reason to end a node that this fails.
func (l *life) keep() {
	k := kept{Boot: bootID()}
	for _, m := range l.brood.members {
		k.Processes = append(k.Processes, child.Process{PID: m.PID, Started: m.Started})
	}
	text, err := json.Marshal(k)
	if err == nil {
		err = replace(l.place.processFile(), text)
	}
	if err != nil {
		l.log.WithError(err).Warn("cannot write down Ray's processes")
	}
}

// sweep ends what a raynoded that was killed has left behind.
func (d *Daemon) sweep(ctx context.Context) error {
	text, err := os.ReadFile(d.place.processFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var k kept
	if err != nil || json.Unmarshal(text, &k) != nil || k.Boot != bootID() {
		return remove(d.place.processFile())
	}
	for _, p := range k.Processes {
		if d.tree.Signal(p, syscall.SIGKILL) != nil {
			continue
		}
		d.log.WithField("ray_pid", p.PID).Warnf("killed process %d, which an earlier raynoded left behind", p.PID)
		select {
		case <-d.tree.Exited(p):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return remove(d.place.processFile())
}
