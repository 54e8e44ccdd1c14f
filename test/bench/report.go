package bench

import (
	"fmt"
	"strings"

	"github.com/raynoded/raynoded/test/page"
)

// Report is what a run has found.
type Report struct {
	// Facts are sentences on where and with what it was measured.
	Facts []string
	// Tables are in the order of the steps.
	Tables []page.Table
	// Missed are the bounds that were not held, in words.
	Missed []string
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
		b.WriteString("\n" + t.String())
	}
	for _, missed := range r.Missed {
		fmt.Fprintf(&b, "\n**Not held**: %s\n", missed)
	}
	return b.String()
}
