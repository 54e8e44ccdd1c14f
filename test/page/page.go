// Package page writes what tests have measured into the documents of the project.
package page

import (
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

// Table is one table. The first row has the names of the columns.
type Table struct {
	Title string
	Rows  [][]string
}

// String is the table in Markdown, fit for reading as it is.
func (t Table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", t.Title)
	widths := make([]int, len(t.Rows[0]))
	for _, row := range t.Rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), len("---"))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			fmt.Fprintf(&b, "| %-*s ", widths[i], cell)
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
	return b.String()
}

// Replace puts a text into a document, between the two lines that say it is written by a program.
func Replace(path, by, text string) error {
	document, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := "<!-- written by "+by+": from here -->\n", "<!-- written by "+by+": to here -->\n"
	before, rest, found := strings.Cut(string(document), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return fmt.Errorf("%s: must have the lines %q and %q, in this order", path, begin, end)
	}
	return os.WriteFile(path, []byte(before+begin+"\n"+text+"\n"+end+after), 0o644)
}
