package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/raynoded/raynoded/daemon/child"
)

// kept is what the state folder says of the processes that a life has started: `ray start`, what
// that has left behind, and the [job]. If raynoded itself is killed where no systemd cleans up
// after it, the next one ends exactly these with their sessions, and nothing else.
type kept struct {
	Boot      string          `json:"boot_id"` // a start time means something within one boot only
	Processes []child.Process `json:"processes"`
}

// begun is what one life keeps. Its processes begin under two guards at the same time, tend and
// work.
type begun struct {
	sync.Mutex
	kept
}

func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// keep writes down that a process has been started. It is no reason to end a node that this fails.
func (l *life) keep(p child.Process) {
	b := l.begun
	b.Lock()
	defer b.Unlock()
	b.Boot = bootID()
	b.Processes = append(b.Processes, child.Process{PID: p.PID, Started: p.Started})
	text, err := json.Marshal(b.kept)
	if err == nil {
		err = replace(l.place.processFile(), text)
	}
	if err != nil {
		l.log.WithError(err).Warn("cannot write down the node's processes")
	}
}

// sweep ends what a raynoded that was killed has left behind. Who cannot be killed is named after a
// while: nothing is started beside them.
func (d *Daemon) sweep(context.Context) error {
	text, err := os.ReadFile(d.place.processFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var k kept
	if err != nil || json.Unmarshal(text, &k) != nil || k.Boot != bootID() {
		return remove(d.place.processFile())
	}
	left := slices.DeleteFunc(
		k.Processes,
		func(p child.Process) bool { return errors.Is(d.tree.Signal(p, 0), os.ErrProcessDone) },
	)
	if err := d.tree.KillOrphans(left); err != nil {
		return fmt.Errorf("cannot end what an earlier raynoded left behind: %w", UnfinishedError{err})
	}
	for _, p := range left {
		d.log.WithField("ray_pid", p.PID).Warnf("killed process %d, which an earlier raynoded left behind", p.PID)
	}
	return remove(d.place.processFile())
}
