package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/raynoded/raynoded/test/page"
)

// groups are those of the matrix, in the order of the document.
var groups = []struct{ name, title string }{
	{"Head", "The head"},
	{"Network", "The network"},
	{"Worker", "The worker"},
	{"Joining", "Joining"},
	{"Host", "The host"},
	{"Recovery", "A persistent head"},
	{"Drain", "Leaving"},
}

// row is one cell in one way of use, as the tests wrote it.
type row struct {
	Fault  string
	Way    string
	Worker result
	Head   result
}

type result struct {
	State   string
	Code    *int `json:"exit_code"`
	Reason  string
	Seconds float64
}

// matrix is a table for each group. A group that was not run is an error: the document shows one
// run or none.
func matrix(lab string) (string, error) {
	var tables []string
	for _, g := range groups {
		text, err := os.ReadFile(path(lab, "matrix", g.name+".json"))
		if err != nil {
			return "", err
		}
		var rows []row
		if err := json.Unmarshal(text, &rows); err != nil {
			return "", fmt.Errorf("%s: %w", g.name, err)
		}
		tables = append(tables, tabulate(g.title, rows).String())
	}
	return strings.Join(tables, "\n"), nil
}

func tabulate(title string, rows []row) page.Table {
	t := page.Table{
		Title: title,
		Rows:  [][]string{{"fault", "use", "the worker", "after", "why, in its own words", "the head", "after"}},
	}
	last := ""
	for _, r := range rows {
		fault := r.Fault
		if fault == last {
			fault = ""
		}
		last = r.Fault
		t.Rows = append(t.Rows, []string{
			fault, r.Way, r.Worker.become(), r.Worker.after(), brief(r.Worker.Reason), r.Head.become(), r.Head.after(),
		})
	}
	return t
}

// become is what became of a unit, with its exit code if it had one.
func (r result) become() string {
	if r.Code == nil {
		return r.State
	}
	return fmt.Sprintf("%s (%d)", r.State, *r.Code)
}

func (r result) after() string {
	if r.Seconds == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f s", r.Seconds)
}

// brief is the reason without what only a reader of that journal wants to know.
func brief(reason string) string {
	const most = 110
	reason = strings.ReplaceAll(strings.TrimSpace(reason), "|", "/")
	if line, _, cut := strings.Cut(reason, "\n"); cut {
		reason = line + " …"
	}
	if runes := []rune(reason); len(runes) > most {
		reason = string(runes[:most]) + "…"
	}
	return reason
}
