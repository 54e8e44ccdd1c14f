//go:build chaos

package chaos

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/kit/host"
)

// event is an entry of a unit's journal.
type event struct {
	at   time.Duration // on clock()
	text string
}

func (e event) String() string { return fmt.Sprintf("%s %s", e.at, e.text) }

// entries are those of raynoded itself, and of systemd about its unit, since the round began.
func (r *round) entries(h *host.Host) []map[string]string {
	r.t.Helper()
	text := h.Journal(r.t, "--output=json", fmt.Sprintf("--since=@%d", r.start.Unix()),
		"SYSLOG_IDENTIFIER=raynoded", "+", "_PID=1", "UNIT="+host.Unit)
	var all []map[string]string
	for raw := range strings.Lines(text) {
		var fields map[string]any
		require.NoError(r.t, json.Unmarshal([]byte(raw), &fields), raw)
		entry := map[string]string{}
		for name, value := range fields {
			entry[name] = fmt.Sprint(value)
		}
		if moment(entry) >= r.began {
			all = append(all, entry)
		}
	}
	return all
}

func moment(entry map[string]string) time.Duration {
	micros, _ := strconv.ParseInt(entry["__MONOTONIC_TIMESTAMP"], 10, 64)
	return time.Duration(micros) * time.Microsecond
}

var (
	byASignal = regexp.MustCompile(`Main process exited, code=(killed|dumped), status=(.*)`)
	byCode    = regexp.MustCompile(`Main process exited, code=exited, status=([0-9]+)/`)
	scheduled = regexp.MustCompile(`Scheduled restart job, restart counter is at`)
)

// endings are the ends of a unit's lives: why raynoded stopped, or the signal that ended raynoded.
// A node that waits for something other than its head counts, too: it has been blamed.
func (r *round) endings(h *host.Host) []event {
	var all []event
	for _, entry := range r.entries(h) {
		switch message := entry["MESSAGE"]; {
		case entry["PHASE"] == "stopping" && strings.HasPrefix(message, "stopping"):
			all = append(all, event{moment(entry), entry["REASON"]})
		case entry["PHASE"] == "waiting" && entry["PRIORITY"] <= "4" && strings.HasPrefix(message, "waiting"):
			all = append(all, event{moment(entry), entry["REASON"]})
		case byASignal.MatchString(message):
			all = append(all, event{moment(entry), "killed by " + byASignal.FindStringSubmatch(message)[2]})
		}
	}
	return all
}

// exits are the exit codes that systemd calls failures, and how often it has started the unit anew.
func (r *round) exits(h *host.Host) (codes []string, restarts int) {
	for _, entry := range r.entries(h) {
		if found := byCode.FindStringSubmatch(entry["MESSAGE"]); found != nil && entry["_PID"] == "1" {
			codes = append(codes, found[1])
		}
		if scheduled.MatchString(entry["MESSAGE"]) {
			restarts++
		}
	}
	return codes, restarts
}
