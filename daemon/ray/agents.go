package ray

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// AgentTimeout is how long a raylet waits for each port of its Python agents. Once an agent has
// started, it writes its port to a file (WaitForDashboardAgentPorts and WaitForRuntimeEnvAgentPort
// in Ray's node_manager.cc, read and tried in 2.60). The time is a constant of Ray's: no setting
// changes it. Ray 2.40 and older start without waiting.
const AgentTimeout = 15 * time.Second

// portFile matches what a raylet logs when it has waited for longer than AgentTimeout and aborts.
// The file is metrics_agent_port_…, metrics_export_port_…, dashboard_agent_listen_port_… or
// runtime_env_agent_port_…, followed by the node's id.
var portFile = regexp.MustCompile(`Timed out waiting for file .*/\w+_port_[0-9a-f]+$`)

// agentFailed matches what a raylet logs about an agent that has ended. A number may follow the
// agent's name.
var agentFailed = regexp.MustCompile(`because one Ray agent failed, agent_name = (\w+)`)

// SlowAgents says whether a raylet has ended only because its agents needed longer than
// AgentTimeout. They do where files are read for the first time over a network, where Python files
// are not compiled, or on a busy host. A second start may be fast enough. It says no if an agent
// has ended: the raylet waits for that agent's file as well, and a second start would fail again.
func SlowAgents(p Program) bool {
	out := lines(p.Stdout)
	return p.Name == "raylet" && failedAgent(out) == "" &&
		(slices.ContainsFunc(lines(p.Stderr), portFile.MatchString) || slices.ContainsFunc(out, portFile.MatchString))
}

// failedAgent returns the agent that has ended and takes its raylet along; "" = none.
func failedAgent(log []string) string {
	for _, line := range log {
		if m := agentFailed.FindStringSubmatch(line); m != nil {
			return m[1]
		}
	}
	return ""
}

// exception matches the last line of a Python program that failed.
var exception = regexp.MustCompile(`^[\w.]+(Error|Exception|Exit)(: |$)`)

// agentWords returns the exception that an agent ended with. It is in the agent's own log. If the
// agent failed during its imports, it is in the raylet's log instead, before the raylet's own
// lines.
func (p Program) agentWords(agent string, raylet []string) string {
	number := strings.TrimPrefix(filepath.Base(p.Stderr), p.Name) // ".1.err" for the second node of a session
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
