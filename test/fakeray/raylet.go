package fakeray

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	client "github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// early is the age of a raylet that ends before it has registered; a real one does not get so far
// any sooner.
const early = 3 * time.Second

// raylet is the node itself: it finds its cluster, registers, and stays until a signal tells it how
// to go.
func (f Folder) raylet(args []string) int {
	came := make(chan os.Signal, 1)
	signal.Notify(came, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGHUP)
	if happens(ignoresTerm) {
		signal.Ignore(syscall.SIGTERM)
	}
	if happens(rayletDies) {
		time.Sleep(early)
		return crash()
	}
	if happens(slowAgents) || happens(agentFails) || happens(slowOnce) && f.isFirst(flag(args, "node-name")) {
		time.Sleep(impatient)
		return f.abort(args)
	}
	if happens(hasActor) {
		if err := f.startActor(); err != nil {
			return fatal(err)
		}
	}
	if happens(neverListed) {
		<-came
		return 0
	}
	address := flag(args, "gcs-address")
	cluster, err := clusterID(address)
	if err != nil {
		return fatal(err)
	}
	n := f.newNode(args)
	if happens(drainsEarly) {
		time.Sleep(early)
		came <- syscall.SIGUSR2
		return f.stay(came, address, cluster, n)
	}
	if err := f.register(cluster, n); err != nil {
		return fatal(err)
	}
	registered := filepath.Join(flag(args, "log_dir"), "../registered")
	if err := os.WriteFile(registered, nil, 0o644); err != nil {
		return fatal(err)
	}
	return f.stay(came, address, cluster, n)
}

// impatient is how long a raylet waits for its agents; the real one does so for 15 s.
const impatient = 300 * time.Millisecond

// isFirst says whether this is the first raylet of a node's.
func (f Folder) isFirst(name string) bool {
	all, err := f.Processes()
	return err == nil && !slices.ContainsFunc(all, func(p Process) bool {
		return p.Program == "raylet" && p.PID != os.Getpid() && flag(p.Args, "node-name") == name
	})
}

// abort ends the raylet with the words of Ray 2.60 whose agents have not said their ports.
func (f Folder) abort(args []string) int {
	if happens(agentFails) {
		fmt.Fprintln(os.Stderr, "ModuleNotFoundError: No module named 'opencensus'")
		fmt.Println("[2026-11-30 04:57:03,470 E 6624 6651] (raylet) agent_manager.cc:87: The raylet exited immediately " +
			"because one Ray agent failed, agent_name = dashboard_agent.")
	}
	fmt.Fprintf(os.Stderr, "[2026-11-30 04:57:17,536 C 6624 6624] (raylet) node_manager.cc:3576:  An unexpected system "+
		"state has occurred. You have likely discovered a bug in Ray. Please report this issue at "+
		"https://github.com/ray-project/ray/issues and we'll work with you to fix it. Check failed: "+
		"statussetor3576.has_value() Timed out waiting for file %s_%s\n*** StackTrace Information ***\n",
		filepath.Join(filepath.Dir(flag(args, "log_dir")), "metrics_agent_port"), flag(args, "node_id"))
	return 3 // the real one ends with SIGABRT, which a program in Go does not
}

// stay returns once a signal has said how to go, and the GCS has heard why: if that is away, the
// raylet does not go.
func (f Folder) stay(came <-chan os.Signal, address, cluster string, n node) int {
	for s := range came {
		switch s {
		case syscall.SIGUSR1:
			return crash()
		case syscall.SIGUSR2:
			n.Left, n.Words = gcspb.NodeDeathInfo_AUTOSCALER_DRAIN_IDLE, "idle for long enough"
		case syscall.SIGHUP:
			n.Left, n.Words = gcspb.NodeDeathInfo_UNEXPECTED_TERMINATION, "health check failed"
		default:
			n.Left, n.Words = gcspb.NodeDeathInfo_EXPECTED_TERMINATION, "received SIGTERM"
			fmt.Println("[2026-11-23 09:14:50,841 I 1 1] (raylet) main.cc:1019: received SIGTERM. " +
				"Existing local drain request = None")
		}
		if _, err := clusterID(address); err != nil {
			continue
		}
		if err := f.register(cluster, n); err != nil {
			return fatal(err)
		}
		if s != syscall.SIGHUP {
			f.leave("raylet")
			return 0
		}
	}
	return 0
}

// crash leaves last words as Ray's C++ does.
func crash() int {
	fmt.Fprintln(os.Stderr, "[2026-11-23 09:14:50,840 E 9638 9679] (raylet) node_manager.cc:1083: no more shared memory")
	return 3
}

func fatal(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func (f Folder) newNode(args []string) node {
	n := node{
		ID: flag(
			args,
			"node_id",
		), Name: flag(args, "node-name"), IP: flag(args, "node_ip_address"), Mark: os.Getenv("RAY_CLOUD_INSTANCE_ID"),
		Resources: map[string]float64{"CPU": 1}, Labels: labels(flag(args, "labels")),
	}
	n.Host, _ = os.Hostname()
	if n.ID == "" {
		n.ID = newID()
	}
	if gpus, err := strconv.ParseFloat(flag(args, "num-gpus"), 64); err == nil {
		n.Resources["GPU"] = gpus
	}
	for _, arg := range args {
		n.Head = n.Head || arg == "--head"
	}
	return n
}

// labels reads what --labels takes: JSON, or "name=text,name=text".
func labels(text string) map[string]string {
	found := map[string]string{}
	if json.Unmarshal([]byte(text), &found) == nil {
		return found
	}
	for pair := range strings.SplitSeq(text, ",") {
		if name, value, is := strings.Cut(pair, "="); is {
			found[name] = value
		}
	}
	return found
}

func clusterID(address string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := client.Dial(ctx, client.Head{Address: address, Token: client.NewToken(token())})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.ClusterID(ctx)
}

// startActor returns once the actor and what it has started in a session of its own are there.
func (f Folder) startActor() error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0] = "ray::actor"
	if err := cmd.Start(); err != nil {
		return err
	}
	until(func() bool { found, _ := f.Find("grandchild"); return len(found) > 0 })
	return nil
}

func (f Folder) actor() int {
	if happens(ignoresTerm) {
		signal.Ignore(syscall.SIGTERM)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0], cmd.SysProcAttr = "ray::grandchild", &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fatal(err)
	}
	_ = cmd.Wait()
	time.Sleep(time.Hour)
	return 0
}
