package bench

import (
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

// Report is what a run has found.
type Report struct {
	// Facts are sentences on where and with what it was measured.
	Facts []string
	// Tables are in the order of the steps.
	Tables []Table
	// Missed are the bounds that were not held, in words.
	Missed []string
}

// Table is one table. The first row has the names of the columns.
type Table struct {
	Title string
	Rows  [][]string
}

// Hold notes a bound that is not held, and returns the bound for a table.
func (r *Report) Hold(what string, got, bound float64, unit string) string {
	text := "≤ " + strings.TrimSpace(Number(bound)+" "+unit)
	if got > bound {
		r.Missed = append(r.Missed, fmt.Sprintf("%s: %s, must be %s", what, strings.TrimSpace(Number(got)+" "+unit), text))
	}
	return text
}

// Markdown is the report, fit for reading as it is.
func (r *Report) Markdown() string {
	var b strings.Builder
	for _, fact := range r.Facts {
		fmt.Fprintf(&b, "- %s\n", fact)
	}
	for _, t := range r.Tables {
		fmt.Fprintf(&b, "\n### %s\n\n", t.Title)
		t.write(&b)
	}
	for _, missed := range r.Missed {
		fmt.Fprintf(&b, "\n**Not held**: %s\n", missed)
	}
	return b.String()
}

func (t Table) write(b *strings.Builder) {
	widths := make([]int, len(t.Rows[0]))
	for _, row := range t.Rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), len("---"))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			fmt.Fprintf(b, "| %-*s ", widths[i], cell)
		}
		b.WriteString("|\n")
	}
	line(t.Rows[0])
	rule := make([]string, len(widths))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width)
	}
	line(rule)
	for _, row := range t.Rows[1:] {
		line(row)
	}
}

// The lines of a document between which the report stands.
const (
	begin = "<!-- written by test/bench/run: from here -->\n"
	end   = "<!-- written by test/bench/run: to here -->\n"
)

// Replace puts the report into a document, between the two lines that are there for it.
func Replace(path, report string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s: must have the lines %q and %q, in this order", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+report+"\n"+end+after), 0o644)
}
