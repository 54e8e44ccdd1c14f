package site

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// Running is a member's raynoded as a process, in the foreground, with the test as its service
// manager.
type Running struct {
	*Member
	Cmd   *exec.Cmd
	Ended chan struct{} // closed at its end
	End   time.Time     // once it has ended
	Tree  []Proc        // all that was once seen below it, and must be gone after its end

	output string // the file with its log

	mu    sync.Mutex
	heard []Datagram
}

// Start starts raynoded. At the end of the test it is told to stop if it still runs.
func (m *Member) Start(t *testing.T) *Running {
	t.Helper()
	argv := append(slices.Clone(m.Wrapper), lab.Binary(t), "run", "--role", m.RoleFile())
	r := &Running{Member: m, Cmd: exec.Command(argv[0], argv[1:]...), Ended: make(chan struct{})}
	log, err := os.CreateTemp(m.Path(), "log")
	require.NoError(t, err)
	defer log.Close()
	r.output = log.Name()
	socket := m.listen(t)
	r.Cmd.Env = append([]string{"NOTIFY_SOCKET=" + m.Path("notify")}, m.Env...)
	r.Cmd.Stdout, r.Cmd.Stderr = log, log
	require.NoError(t, r.Cmd.Start())
	deaf := make(chan struct{})
	go func() {
		r.hear(socket)
		close(deaf)
	}()
	go func() {
		_ = r.Cmd.Wait()
		r.End = time.Now()
		close(r.Ended)
	}()
	t.Cleanup(func() {
		defer func() {
			_ = socket.Close()
			<-deaf
		}()
		if t.Failed() {
			t.Logf("%s said:\n%s", m.Name, r.Log(t))
		}
		if r.Lives() {
			_ = r.Cmd.Process.Signal(syscall.SIGTERM)
			r.Wait(t, lab.Patience)
		}
	})
	return r
}

// Lives says whether it still runs.
func (r *Running) Lives() bool {
	select {
	case <-r.Ended:
		return false
	default:
		return true
	}
}

// PID is raynoded's own process.
func (r *Running) PID() int { return r.Cmd.Process.Pid }

// Log is what raynoded and its children have written so far.
func (r *Running) Log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(r.output)
	require.NoError(t, err)
	return string(text)
}

// Says waits until the log has some text.
func (r *Running) Says(t *testing.T, text string) {
	t.Helper()
	lab.Until(t, lab.Patience, r.Name+" says "+text, func() bool {
		lives := r.Lives()
		said := strings.Contains(r.Log(t), text)
		require.True(t, said || lives, "%s has ended without saying %s", r.Name, text)
		return said
	})
}
