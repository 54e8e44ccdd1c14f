//go:build chaos

package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/raynoded/raynoded/test/lab"
)

// TestChaos has a head and two workers, and brings them to harm in ways and at moments that a seed
// chooses, round after round. After each round the cluster must be complete again, and what
// happened on the way must be what the faults explain.
//
//	CHAOS_TIME   how long, "10m" if unset
//	CHAOS_SEED   the seed; a new one if unset. The same seed makes the same choices
//	CHAOS_ROUND  the round to begin with: the choices of a round do not depend on those before
//	CHAOS_WAY    "persistent": the head keeps its state, and no worker may lose it
//
// The first round that fails ends it.
func TestChaos(t *testing.T) {
	length, err := time.ParseDuration(setting("CHAOS_TIME", "10m"))
	require.NoError(t, err)
	seed, err := strconv.ParseUint(setting("CHAOS_SEED", fmt.Sprint(rand.Uint32())), 10, 64)
	require.NoError(t, err)
	first, err := strconv.Atoi(setting("CHAOS_ROUND", "1"))
	require.NoError(t, err)

	t.Logf("CHAOS_SEED=%d CHAOS_TIME=%s", seed, length)
	way := setting("CHAOS_WAY", "")
	c := bootCluster(t, way == "persistent")
	score := newScore(seed)
	for began, n := time.Now(), first; n == first || time.Since(began) < length; n++ {
		good := t.Run(fmt.Sprint(n), func(t *testing.T) {
			r := newRound(t, c, draw(seed, n))
			r.play()
			score.note(r)
			t.Log(r)
		})
		if !good {
			t.Fatalf("again: CHAOS_SEED=%d CHAOS_ROUND=%d CHAOS_TIME=0s CHAOS_WAY=%s", seed, n, way)
		}
		score.Seconds = int(time.Since(began).Seconds())
	}
	score.keep(t, strings.TrimSuffix("chaos-"+way, "-")+".json")
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// score is what was survived.
type score struct {
	Seed     uint64
	Rounds   int
	Seconds  int
	Faults   map[string]int // that took effect
	Openings map[string]int
	Loads    map[string]int
	// Healed is how long the cluster took from the last fault undone until it was complete, in
	// seconds.
	Healed struct{ Mean, Longest float64 }
}

func newScore(seed uint64) *score {
	return &score{Seed: seed, Faults: map[string]int{}, Openings: map[string]int{}, Loads: map[string]int{}}
}

func (s *score) note(r *round) {
	took := r.healed.Seconds()
	s.Healed.Mean = (s.Healed.Mean*float64(s.Rounds) + took) / float64(s.Rounds+1)
	s.Healed.Longest = max(s.Healed.Longest, took)
	s.Rounds++
	s.Openings[r.opening.name]++
	s.Loads[r.load.name()]++
	for _, d := range r.done {
		if d.hit {
			s.Faults[d.name]++
		}
	}
}

// keep writes the score into .lab.
func (s *score) keep(t *testing.T, name string) {
	t.Helper()
	text, err := json.MarshalIndent(s, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(lab.File(t, ".lab/"+name), append(text, '\n'), 0o644))
	t.Logf("survived: %s", text)
}
