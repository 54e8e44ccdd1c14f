package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/raynoded/raynoded/test/page"
)

// score is what the chaos run wrote.
type score struct {
	Seed    uint64
	Rounds  int
	Seconds int
	Faults  map[string]int
	Healed  struct{ Mean, Longest float64 }
}

// chaos is the last run's length, seed and count of faults.
func chaos(lab string) (string, error) {
	text, err := os.ReadFile(path(lab, "chaos.json"))
	if err != nil {
		return "", err
	}
	var s score
	if err := json.Unmarshal(text, &s); err != nil {
		return "", fmt.Errorf("chaos: %w", err)
	}
	all := 0
	t := page.Table{Title: "Faults survived", Rows: [][]string{{"fault", "times"}}}
	names := make([]string, 0, len(s.Faults))
	for name, n := range s.Faults {
		names = append(names, name)
		all += n
	}
	slices.SortFunc(names, func(a, b string) int {
		if s.Faults[a] != s.Faults[b] {
			return s.Faults[b] - s.Faults[a]
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		t.Rows = append(t.Rows, []string{name, fmt.Sprint(s.Faults[name])})
	}
	return fmt.Sprintf(`- The last run took %s, had the seed %d, and survived %d faults in %d rounds.
- After the last fault of a round was undone, the cluster was complete again after %.1f s on average, %.1f s at most.

%s`, time.Duration(s.Seconds)*time.Second, s.Seed, all, s.Rounds, s.Healed.Mean, s.Healed.Longest, t), nil
}
