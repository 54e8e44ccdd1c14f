package main

import (
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// systemd is the other end of NOTIFY_SOCKET.
type systemd struct {
	*testing.T
	conn  *net.UnixConn
	heard chan string
	said  []string // what was heard and looked at: datagrams, their lines with "; " between them
}

func (h *testHost) systemd() *systemd {
	h.Helper()
	path := filepath.Join(h.dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	require.NoError(h, err)
	h.with("NOTIFY_SOCKET="+path, "WATCHDOG_USEC=10000000")
	s := &systemd{T: h.T, conn: conn, heard: make(chan string, 10000)}
	go s.listen()
	h.Cleanup(func() { _ = conn.Close() })
	return s
}

func (s *systemd) listen() {
	defer close(s.heard)
	for buffer := make([]byte, 8<<10); ; {
		n, err := s.conn.Read(buffer)
		if err != nil {
			return
		}
		s.heard <- strings.ReplaceAll(string(buffer[:n]), "\n", "; ")
	}
}

// until looks at datagrams up to one that has text in it.
func (s *systemd) until(text string) {
	s.Helper()
	for late := time.After(patience); ; {
		select {
		case said := <-s.heard:
			s.said = append(s.said, said)
			if strings.Contains(said, text) {
				return
			}
		case <-late:
			require.FailNow(s, "systemd did not hear "+text, "%s", strings.Join(s.states(), "\n"))
		}
	}
}

// rest looks at what there is once raynoded has ended.
func (s *systemd) rest() {
	s.Helper()
	conn, err := net.Dial("unixgram", s.conn.LocalAddr().String())
	require.NoError(s, err)
	defer conn.Close()
	_, err = conn.Write([]byte("the end"))
	require.NoError(s, err)
	s.until("the end")
}

// states are the datagrams that change what systemd thinks of the unit, and the first status of
// each phase.
func (s *systemd) states() []string {
	var states []string
	phase := ""
	for _, text := range s.said {
		_, status, _ := strings.Cut(text, "STATUS=")
		word, _, _ := strings.Cut(status, ":")
		changed := status != "" && word != phase
		if changed {
			phase = word
		}
		if changed || strings.Contains(text, "READY=1") || strings.Contains(text, "STOPPING=1") {
			states = append(states, text)
		}
	}
	return states
}

// obeyed looks for what would make systemd fail the unit.
func (s *systemd) obeyed() {
	s.Helper()
	stopping := slices.IndexFunc(s.said, func(text string) bool { return strings.Contains(text, "STOPPING=1") })
	require.GreaterOrEqual(s, stopping, 0)
	for i, text := range s.said {
		require.False(
			s, i > stopping && strings.Contains(text, "WATCHDOG=1"), "a keep-alive after STOPPING arms the watchdog again",
		)
		require.False(s, i > stopping && strings.Contains(text, "READY=1"))
		require.False(
			s, strings.Contains(text, "READY=1") && strings.Contains(text, "STOPPING=1"),
			"systemd takes the last of one datagram",
		)
	}
}

func TestRun_TellsSystemd(t *testing.T) {
	t.Parallel()
	const (
		who      = "worker of grpo, head $HEAD"
		waiting  = "STATUS=waiting: " + who + " (0s of 20s)"
		starting = "STATUS=starting: " + who
		running  = "READY=1; STATUS=running: " + who
		lost     = "head lost: gone: every connection refused for *: cannot reach head $HEAD: connection refused"
		asked    = "STOPPING=1; STATUS=stopping: " + who + "; asked to stop: terminated"
	)
	cases := []struct {
		name  string
		more  string
		head  bool
		do    func(h *testHost, p *process, s *systemd, gcs *exec.Cmd)
		code  int
		heard []string
	}{
		{
			name: "a whole life", head: true, do: func(_ *testHost, p *process, s *systemd, _ *exec.Cmd) {
				s.until("READY=1")
				s.until("WATCHDOG=1")
				p.signal(syscall.SIGTERM)
			},
			code: 0, heard: []string{waiting, starting, running, asked},
		},
		{
			name: "head lost", head: true, do: func(_ *testHost, _ *process, s *systemd, gcs *exec.Cmd) {
				s.until("READY=1")
				stop(gcs)
			},
			code: 0, heard: []string{waiting, starting, running, "STOPPING=1; STATUS=stopping: " + who + "; " + lost},
		},
		{
			name: "asked before it was ready", do: func(_ *testHost, p *process, s *systemd, _ *exec.Cmd) {
				s.until("cannot reach head")
				p.signal(syscall.SIGTERM)
			},
			code: 0, heard: []string{waiting, "READY=1; STATUS=stopping: " + who + "; asked to stop: terminated", asked},
		},
		{
			name: "failed before it was ready", more: `cluster.join_timeout = "300ms"`, do: func(*testHost, *process, *systemd,
				*exec.Cmd) {
			},
			code: 69, heard: []string{
				"STATUS=waiting: " + who + " (0s of 300ms)",
				"STOPPING=1; STATUS=stopping: " + who + "; the head cannot be reached within cluster.join_timeout (300ms): *",
			},
		},
		{
			name: "Ray failed", head: true, do: func(h *testHost, _ *process, s *systemd, _ *exec.Cmd) {
				s.until("READY=1")
				h.tell("raylet", syscall.SIGUSR1)
			},
			code: 70, heard: []string{
				waiting, starting, running, "STOPPING=1; STATUS=stopping: " + who + "; Ray failed: *: no more shared memory",
			},
		},
		{
			name: "standing", more: standing, head: true, do: func(h *testHost, p *process, s *systemd, gcs *exec.Cmd) {
				s.until("running")
				stop(gcs)
				s.until("waiting")
				s.until("waiting: " + h.fill(who) + "; cannot reach head")
				p.signal(syscall.SIGTERM)
			},
			code: 0, heard: []string{
				"READY=1; STATUS=waiting: " + who + " (0s)", starting, "STATUS=running: " + who,
				"STATUS=stopping: " + who + "; " + lost, "STATUS=waiting: " + who + "; " + lost + " (0s)", asked,
			},
		},
		{
			name: "standing with a wrong version", more: standing, head: true,
			do: func(h *testHost, p *process, s *systemd, _ *exec.Cmd) {
				s.until("STATUS=waiting: " + h.fill(who) + "; " + mayNotJoin)
				p.signal(syscall.SIGTERM)
			},
			code: 0, heard: []string{"READY=1; STATUS=waiting: " + who + " (0s)", asked},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newCluster(t).host("worker", workerRole, c.more).with("FAKERAY=actor")
			s := h.systemd()
			if c.name == "standing with a wrong version" {
				h.with("FAKERAY_PYTHON=3.10.1")
			}
			var gcs *exec.Cmd
			if c.head {
				gcs = h.gcs()
			}
			p := h.run()
			c.do(h, p, s, gcs)
			require.Equal(t, c.code, p.exit())
			s.rest()
			s.obeyed()
			h.matches(strings.Join(c.heard, "\n"), strings.Join(s.states(), "\n"))
			require.Equal(t, "WATCHDOG=1", s.said[0], "it arms what guards the start")
			for _, ran := range h.started() {
				require.NotContains(t, strings.Join(ran.Env, "\n"), "NOTIFY_SOCKET", ran.Program)
				require.NotContains(t, strings.Join(ran.Env, "\n"), "WATCHDOG_", ran.Program)
			}
		})
	}
}

// While the head's name has no address nobody knows what this host is to be.
func TestRun_StatusOfUndecided(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("node", workerRole, "role = \"auto\"\ncluster.head = \""+noName+":6379\"\n")
	s := h.systemd()
	p := h.run()
	who := "auto of grpo, head " + noName + ":6379"
	s.until("STATUS=waiting: " + who + "; cannot resolve the name " + noName)
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	s.rest()
	s.obeyed()
	states := s.states()
	require.Equal(t, []string{
		"READY=1; STATUS=stopping: " + who + "; asked to stop: terminated",
		"STOPPING=1; STATUS=stopping: " + who + "; asked to stop: terminated",
	}, states[1:])
}

// On the head people see how many nodes are there, and what is degraded.
func TestRun_StatusOfHead(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("head", headRole, "cluster.nodes = 2")
	s := h.systemd()
	p := h.run()
	s.until(h.fill("STATUS=running: head of grpo at $HEAD; 1 of 2 nodes"))
	h.node("gpu-002", 4)
	s.until(h.fill("STATUS=running: head of grpo at $HEAD; 2 of 2 nodes"))
	h.tell("dashboard", syscall.SIGKILL)
	s.until(h.fill("STATUS=running: head of grpo at $HEAD; 2 of 2 nodes; degraded: dashboard ended with signal killed"))
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
	s.rest()
	s.obeyed()
}

func TestRun_StatusOfDoubt(t *testing.T) {
	t.Parallel()
	h := newCluster(t).host("worker", workerRole, `watchdog.refused = "10m"`)
	gcs := h.gcs()
	s := h.systemd()
	p := h.run()
	s.until("STATUS=running")
	require.NoError(t, gcs.Process.Signal(syscall.SIGSTOP))
	s.until("head does not answer")
	require.NoError(t, gcs.Process.Signal(syscall.SIGCONT))
	p.until("the head answers again")
	p.signal(syscall.SIGTERM)
	h.ends(p, 0, "asked to stop: terminated")
}
