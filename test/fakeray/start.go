package fakeray

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// start is one `ray start` without --block.
type start struct {
	Folder
	args    []string
	head    bool
	ip      string
	address string // of the GCS
	session string
	nodeID  string
}

// settles is how long `ray start` stays after its raylet is registered; the real one does so for
// about 0.4 s.
const settles = 150 * time.Millisecond

func newStart(f Folder, args []string) start {
	s := start{Folder: f, args: args, ip: flag(args, "node-ip-address"), address: flag(args, "address"), nodeID: newID()}
	for _, arg := range args {
		s.head = s.head || arg == "--head"
	}
	if s.head {
		s.address = net.JoinHostPort(s.ip, flag(args, "port"))
	}
	s.session = filepath.Join(flag(args, "temp-dir"), fmt.Sprintf("session_2026-11-23_09-14-09_709422_%d", os.Getpid()))
	return s
}

func (s start) run() error {
	if err := os.MkdirAll(s.logs(), 0o755); err != nil {
		return err
	}
	if happens(startDiffer) {
		return errors.New(
			"RuntimeError: Version mismatch: The cluster was started with:\n    Ray: 2.59.0\n    Python: 3.11.7",
		)
	}
	if s.head {
		if err := s.startGCS(); err != nil {
			return err
		}
	}
	args := []string{"-u", "/fake/ray/_private/log_monitor.py", "--session-dir=" + s.session, "--logs-dir=" + s.logs()}
	if err := s.launch("log_monitor", s.python(), args...); err != nil {
		return err
	}
	switch {
	case happens(startFails):
		return errors.New("ValueError: Attempting to start a node with more GPUs than it has")
	case happens(startHangs):
		s.untilTerm("ray start")
		return errors.New("KeyboardInterrupt")
	case happens(noRaylet):
		return nil
	}
	if err := s.startRaylet(); err != nil {
		return err
	}
	time.Sleep(settles)
	fmt.Println("Ray runtime started.")
	return nil
}

func (s start) startGCS() error {
	port := s.address[strings.LastIndexByte(s.address, ':')+1:]
	args := []string{
		"--log_dir=" + s.logs(), "--config_list=e30=", "--gcs_server_port=" + port, "--node-ip-address=" + s.ip,
	}
	if err := s.launch("gcs_server", s.path("bin", "gcs_server"), args...); err != nil {
		return err
	}
	if !until(func() bool { return reachable(s.address) }) {
		return errors.New("RuntimeError: Failed to start GCS")
	}
	return s.launch("dashboard", s.python(), "/fake/ray/dashboard/dashboard.py", "--host=127.0.0.1", "--log-dir="+s.logs())
}

func (s start) startRaylet() error {
	args := []string{
		"--raylet_socket_name=" + filepath.Join(
			s.session,
			"sockets/raylet",
		), "--node_ip_address=" + s.ip, "--gcs-address=" + s.address,
		"--node-name=" + flag(
			s.args,
			"node-name",
		), "--num-gpus=" + flag(s.args, "num-gpus"), "--labels=" + flag(s.args, "labels"), "--log_dir=" + s.logs(),
		"--dashboard_agent_command=/fake/python3 /fake/ray/dashboard/agent.py",
	}
	if !strings.HasPrefix(rayVersion(), "2.9.") {
		args = append(args, "--node_id="+s.nodeID)
	}
	if s.head {
		args = append(args, "--head")
	}
	if err := s.launch("raylet", s.path("bin", "raylet"), args...); err != nil {
		return err
	}
	if !happens(neverListed) &&
		!until(func() bool { _, err := os.Stat(filepath.Join(s.session, "registered")); return err == nil }) {
		return errors.New("RuntimeError: The current node timed out during startup")
	}
	return nil
}

func (s start) logs() string { return filepath.Join(s.session, "logs") }

func (s start) python() string { return s.path("bin", "python3") }

// launch starts a program that stays, with its output in the session's logs, and does not wait for
// it.
func (s start) launch(name, path string, args ...string) error {
	out, err1 := os.Create(filepath.Join(s.logs(), name+".out"))
	complaints, err2 := os.Create(filepath.Join(s.logs(), name+".err"))
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	cmd := exec.Command(path, args...)
	cmd.Stdout, cmd.Stderr = out, complaints
	return cmd.Start()
}

func reachable(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
