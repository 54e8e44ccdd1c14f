package ray

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// AgentLimit is how long a raylet waits for each of the ports that its Python agents say in a file
// once they have started (WaitForDashboardAgentPorts and WaitForRuntimeEnvAgentPort in Ray's
// node_manager.cc, read and tried in 2.60). It is a constant of Ray's: no setting changes it. Ray
// 2.40 and older start without waiting.
const AgentLimit = 15 * time.Second

// portFile is what a raylet says that has waited for longer than AgentLimit, and aborts: the file
// is metrics_agent_port_…, metrics_export_port_…, dashboard_agent_listen_port_… or
// runtime_env_agent_port_…, with the node's id.
var portFile = regexp.MustCompile(`Timed out waiting for file .*/\w+_port_[0-9a-f]+$`)

// agentFailed is what a raylet says of an agent that has ended; its name may have a number behind
// it.
var agentFailed = regexp.MustCompile(`because one Ray agent failed, agent_name = (\w+)`)

// SlowAgents says whether a raylet has ended because its agents needed longer than AgentLimit, and
// for no other reason: files that are read for the first time over a network, Python files that are
// not compiled, a busy host. A second start may be fast enough. An agent that has ended leaves the
// raylet waiting for its file as well, and would fail again.
func SlowAgents(p Program) bool {
	out := lines(p.Stdout)
	return p.Name == "raylet" && failedAgent(out) == "" &&
		(slices.ContainsFunc(lines(p.Stderr), portFile.MatchString) || slices.ContainsFunc(out, portFile.MatchString))
}

// failedAgent is the agent that has ended and takes its raylet along; "" = none.
func failedAgent(log []string) string {
	for _, line := range log {
		if m := agentFailed.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return ""
}

// exception is the last line of a Python program that failed.
var exception = regexp.MustCompile(`^[\w.]+(Error|Exception|Exit)(: |$)`)

// agentWords are the exception that an agent ended with: in its own log, or, if it got no further
// than its imports, in that of its raylet, before what the raylet says itself.
func (p Program) agentWords(agent string, raylet []string) string {
	number := strings.TrimPrefix(filepath.Base(p.Stderr), p.Name) // of the second node of a session ".1.err"
	log := lines(filepath.Join(filepath.Dir(p.Stderr), agent+number))
	if len(log) == 0 {
		log = raylet
		if i := slices.IndexFunc(log, logLine.MatchString); i >= 0 {
			log = log[:i]
		}
	}
	if words := last(log); exception.MatchString(words) {
		return ": " + words
	}
	return ""
}
