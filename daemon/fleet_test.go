//go:build ray

package daemon

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/daemon/watchdog"
	"github.com/raynoded/raynoded/test/lab"
)

// TestFleet has 200 workers watch a real head over a bad line: none may call it lost while it
// lives, each must when it is gone. It takes a minute and a half; some minutes with
// RAYNODED_MATRIX=all.
func TestFleet(t *testing.T) {
	if path := os.Getenv(fleetRole); path != "" {
		require.NoError(t, watchAll(t.Context(), path))
		return
	}
	lab.Need(t, lab.Namespaces(), lab.Ray("2.60.0"))
	storm, late, blips := 30*time.Second, 250*time.Millisecond, []time.Duration{12 * time.Second}
	if os.Getenv("RAYNODED_MATRIX") == "all" {
		storm, late, blips = 3*time.Minute, 500*time.Millisecond, []time.Duration{
			5 * time.Second,
			12 * time.Second,
			25 * time.Second,
		}
	}
	temp := lab.Folder(t)
	network := lab.NewNetwork(t)
	head := lab.Netns(t, network, "head", "")
	head.Sh(t, fmt.Sprintf("%s start --head --port=6379 --node-ip-address=%s --temp-dir=%s --include-dashboard=false %s",
		lab.RayBin(t, "2.60.0"), head.Address, temp, strings.Join(lab.SmallNode(), " ")))
	off := deploy(t, lab.Netns(t, network, "off", ""), head)
	bad := deploy(t, lab.Netns(t, network, "bad", ""), head)

	scene := func(name string, play func(*testing.T)) { require.True(t, t.Run(name, play)) }

	cut := time.Now()
	off.host.Cut(t, true) // for good; looked at below

	// A probe without a loss takes four round trips.
	scene("storm", func(t *testing.T) {
		mend := bad.host.Line(t, lab.Weather{Loss: 0.2, Delay: late})
		bad.holds(t, storm)
		mend()
		bad.settles(t, watchers/2)
	})
	scene("cut off", func(t *testing.T) {
		// One that was starved for 2.5 s begins its 30 s anew, each time.
		off.loses(t, watchdog.LossSilent, cut, 29*time.Second, 3*time.Minute)
	})
	for _, blip := range blips {
		scene(fmt.Sprintf("cut off for %v", blip), func(t *testing.T) {
			bad.host.Cut(t, true)
			bad.holds(t, blip)
			bad.host.Cut(t, false)
			bad.settles(t, 1)
		})
	}
	scene("stall", func(t *testing.T) {
		signalGCS(t, head, "STOP")
		bad.holds(t, 15*time.Second)
		signalGCS(t, head, "CONT")
		bad.settles(t, watchers/2) // one that was starved asks anew, and may be answered in time
	})
	scene("gone", func(t *testing.T) {
		killed := time.Now()
		signalGCS(t, head, "KILL")
		bad.loses(t, watchdog.LossGone, killed, 400*time.Millisecond, time.Minute)
	})
}

func signalGCS(t *testing.T, head *lab.Node, signal string) {
	t.Helper()
	var pids []string
	for _, p := range head.Procs(t) {
		if strings.HasSuffix(p.Args[0], "/gcs_server") {
			pids = append(pids, fmt.Sprint(p.Pid))
		}
	}
	require.Len(t, pids, 1)
	head.Sh(t, "kill -"+signal+" "+pids[0])
}
