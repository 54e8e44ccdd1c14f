package role

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Problem is one complaint about a role file.
type Problem struct {
	// File, Line and Col are the place of the value: for a missing key that
	// of the table it belongs into, else the start of the role file. Both
	// numbers start at 1, or are 0 where there is no place; columns count
	// characters.
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
	// Key is the full key, such as "watchdog.refused"; empty for what is
	// wrong with the file as a whole.
	Key string `json:"key"`
	// Text is one line: "must ..., got ...". It never quotes a value that may
	// be a secret.
	Text string `json:"message"`
}

func (p Problem) String() string {
	key := p.Key
	if key != "" {
		key += ": "
	}
	place := ""
	if p.Line > 0 {
		place = fmt.Sprintf(":%d:%d", p.Line, p.Col)
	}
	return oneLine(p.File) + place + ": " + key + p.Text
}

// Problems are all complaints of one load, in the order of files and places.
type Problems []Problem

// Error is one line for each complaint.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// phrase stands after "got" as it is, without quotes.
type phrase string

// shown is the longest string that a complaint quotes in full, in characters.
const shown = 64

// got puts a TOML value into words that fit on a line.
func got(v any) string {
	switch v := v.(type) {
	case phrase:
		return string(v)
	case string:
		if text := []rune(v); len(text) > shown {
			return strconv.Quote(string(text[:shown])) + "..."
		}
		return strconv.Quote(v)
	case []any:
		return "an array"
	case []map[string]any:
		return "an array of tables"
	case map[string]any:
		return "a table"
	case time.Time:
		return "a date or time"
	default:
		return fmt.Sprint(v)
	}
}

// control finds a character that would break a command line, an environment
// file or a log line.
func control(s string) (phrase, bool) {
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		return phrase(fmt.Sprintf("%U", []rune(s[i:])[0])), true
	}
	return "", false
}

// oneLine makes blanks of control characters.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if _, bad := control(string(r)); bad {
			return ' '
		}
		return r
	}, s)
}

// withheld reports whether a value stays out of every complaint: the key's all do, or it is an
// address with a password in it.
func withheld(key string, v any) bool {
	text, _ := v.(string)
	return secret(key) || key == "cluster.redis" && strings.Contains(text, "@")
}

// secret reports whether values of the key stay out of every complaint.
func secret(key string) bool {
	table, name, _ := strings.Cut(key, ".")
	if table == "env" && (LooksSecret(name) || isProxy(name)) {
		return true
	}
	return strings.EqualFold(table, "auth") && key != "auth.mode"
}
