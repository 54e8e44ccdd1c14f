package fakeray

import (
	"cmp"
	"os"
	"slices"
	"strings"
)

// mishap is a word of FAKERAY: what goes wrong, or what there is besides.
type mishap string

const (
	startFails  mishap = "fail"           // `ray start` ends with a traceback just before its raylet
	startDiffer mishap = "mismatch"       // `ray start` finds that the cluster has another Ray or Python
	startHangs  mishap = "hang"           // `ray start` never gets to its raylet and does not return
	noRaylet    mishap = "noraylet"       // `ray start` returns with 0 and has left no raylet behind
	rayletDies  mishap = "raylet-dies"    // with exit code 3 and last words, before it registers
	drainsEarly mishap = "raylet-drained" // the raylet is drained and ends with 0 before it was ever alive in the GCS
	slowAgents  mishap = "slow-agents"    // the raylet's agents are late each time, and it aborts
	slowOnce    mishap = "slow-once"      // the same, of the first raylet of its name
	agentFails  mishap = "agent-fails"    // an agent of the raylet's ends, and it waits for the agent's port, and aborts
	neverListed mishap = "never-listed"   // the raylet lives, but the GCS never hears of it
	ignoresTerm mishap = "ignore-term"    // the raylet and its actor ignore SIGTERM
	hasActor    mishap = "actor"          // the raylet runs an actor, which runs a program in a session of its own
)

// happens says whether FAKERAY has the word.
func happens(m mishap) bool {
	return slices.Contains(strings.Split(os.Getenv("FAKERAY"), ","), string(m))
}

func rayVersion() string { return cmp.Or(os.Getenv("FAKERAY_VERSION"), "2.60.0") }

func pythonVersion() string { return cmp.Or(os.Getenv("FAKERAY_PYTHON"), "3.11.7") }
