package gcs

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain makes text from the network fit for a terminal, a log line and JSON:
// one line, valid UTF-8, and U+FFFD for what is not printable.
func plain(text []byte) string {
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

// brief is plain text that fits into a message of ours.
func brief(text []byte) string {
	const most = 300
	s := strings.Join(strings.Fields(plain(text)), " ")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return s
}
