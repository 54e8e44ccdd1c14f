package gcs

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes text from the network fit for a terminal, a log line and JSON: one line of valid
// UTF-8, with U+FFFD for characters that are not printable.
func printable(text []byte) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\r', r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return utf8.RuneError
	}, string(text))
}

// shorten makes text printable, and short enough for a message of ours.
func shorten(text []byte) string {
	const most = 300
	s := strings.Join(strings.Fields(printable(text)), " ")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return s
}
