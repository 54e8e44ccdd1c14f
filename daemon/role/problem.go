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
	// File, Line and Col are the place of the value. For a missing key they are the place of
	// its table if a file has one, otherwise the start of the role file. Line and Col start
	// at 1; 0 means that there is no place. Columns count characters.
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"column"`
	// Key is the full key, such as "watchdog.refused"; empty for a complaint about the whole
	// file.
	Key string `json:"key"`
	// Text is one line: "must ..., got ...". It never quotes a value that may be a secret.
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

// unquoted is a text that follows "got" as it is, without quotes.
type unquoted string

// maxQuoted is the longest string that a complaint quotes in full, in characters.
const maxQuoted = 64

// got puts a TOML value into words that fit on one line.
func got(v any) string {
	switch v := v.(type) {
	case unquoted:
		return string(v)
	case string:
		if text := []rune(v); len(text) > maxQuoted {
			return strconv.Quote(string(text[:maxQuoted])) + "..."
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
	case float64:
		if text := fmt.Sprint(v); strings.ContainsAny(text, ".eIN") {
			return text
		}
		return fmt.Sprintf("%.1f", v) // 8.0 is not 8
	default:
		return fmt.Sprint(v)
	}
}

// controlCharacter finds a character that would break a command line, an environment file or a log
// line.
func controlCharacter(s string) (unquoted, bool) {
	if i := strings.IndexFunc(s, unicode.IsControl); i >= 0 {
		return unquoted(fmt.Sprintf("%U", []rune(s[i:])[0])), true
	}
	return "", false
}

// oneLine replaces control characters by blanks.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if _, bad := controlCharacter(string(r)); bad {
			return ' '
		}
		return r
	}, s)
}

// withheld reports whether a value stays out of every complaint: one of a secret key, or an address
// with a password.
func withheld(key string, v any) bool {
	text, _ := v.(string)
	return secret(key) || key == "cluster.redis" && strings.Contains(text, "@")
}

// secret reports whether all values of the key stay out of every complaint.
func secret(key string) bool {
	table, name, _ := strings.Cut(key, ".")
	if table == "env" && (LooksSecret(name) || isProxy(name)) {
		return true
	}
	return strings.EqualFold(table, "auth") && key != "auth.mode"
}
