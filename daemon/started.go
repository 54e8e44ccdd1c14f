package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/reason"
)

// started is what a life has started, as the state folder has it: `ray start`, what that has left
// behind, and the [job]. If raynoded itself is killed where no systemd cleans up after it, the next
// one ends exactly these with their sessions, and nothing else. Two guards add to it at the same
// time, supervise and runJob.
type started struct {
	sync.Mutex `json:"-"`

	Boot      string          `json:"boot_id"` // a start time means something within one boot only
	Processes []child.Process `json:"processes"`
}

func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// record writes down that a process has been started. It is no reason to end a node that this
// fails.
func (p *processes) record(c child.Process) {
	s := &p.started
	s.Lock()
	defer s.Unlock()
	s.Boot = bootID()
	s.Processes = append(s.Processes, child.Process{PID: c.PID, Started: c.Started})
	text, err := json.Marshal(s)
	if err == nil {
		err = host.Replace(p.dirs.Processes(), text)
	}
	if err != nil {
		p.log.WithError(err).Warn("cannot write down the node's processes")
	}
}

// killLeftovers ends what a raynoded that was killed has left behind. What cannot be killed is
// named after a while: nothing is started beside it.
func killLeftovers(tree *child.Tree, dirs host.Dirs, log logrus.FieldLogger) error {
	text, err := os.ReadFile(dirs.Processes())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var s started
	if err != nil || json.Unmarshal(text, &s) != nil || s.Boot != bootID() {
		return host.Remove(dirs.Processes())
	}
	left := slices.DeleteFunc(s.Processes, func(p child.Process) bool {
		return errors.Is(tree.Signal(p, 0), os.ErrProcessDone)
	})
	if err := tree.KillOrphans(left); err != nil {
		return fmt.Errorf("cannot end what an earlier raynoded left behind: %w", reason.UnfinishedError{Err: err})
	}
	for _, p := range left {
		log.WithField("ray_pid", p.PID).Warnf("killed process %d, which an earlier raynoded left behind", p.PID)
	}
	return host.Remove(dirs.Processes())
}
