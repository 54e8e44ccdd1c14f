package role

import (
	"fmt"
	"strings"
)

const (
	// maxKeys is the largest number of keys in one file, tables included. It bounds the work on a
	// file that is full of mistakes.
	maxKeys = 1000

	// maxDepth is the largest number of parts in one key, and of brackets inside each other. The
	// parser's time and memory grow with the square of both: a key of 5,000 parts took 2.4 s and
	// allocated 2.6 GB (https://github.com/BurntSushi/toml/issues/496). A real file needs five.
	maxDepth = 32
)

// scan is what has been seen of a text.
type scan struct {
	keys   int  // tables included
	parts  int  // of the key, or of the value, that is being read
	open   int  // brackets
	inLine bool // something stands before this on its line
}

// bounds looks through a text for more than the parser can be trusted with, before it is parsed. It
// returns the offset of what is too much and the complaint, which is empty if the text is fine.
//
// It knows as little TOML as that takes: strings, comments, brackets, and the dots between the
// parts of a key. The parser refuses the rest.
func bounds(text string) (offset int, complaint string) {
	s := scan{parts: 1}
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '#':
			i += lineLength(text[i:]) - 1
			continue
		case '"', '\'':
			i += stringLength(text[i:]) - 1
			s.inLine = true
			continue
		}
		s.read(text[i])
		switch {
		case s.parts > maxDepth:
			return i, fmt.Sprintf("must not have a key of more than %d parts", maxDepth)
		case s.open > maxDepth:
			return i, fmt.Sprintf("must not have more than %d brackets inside each other", maxDepth)
		case s.keys > maxKeys:
			return i, fmt.Sprintf("must hold at most %d keys", maxKeys)
		}
	}
	return 0, ""
}

// read takes one character outside of strings and comments.
func (s *scan) read(char byte) {
	switch char {
	case '.':
		s.parts++
	case '[', '{':
		if s.open == 0 && !s.inLine { // the header of a table
			s.keys++
		}
		s.open++
		s.parts = 1
	case ']', '}':
		s.open = max(0, s.open-1)
		s.parts = 1
	case '=':
		s.keys++
		s.parts = 1
	case ',', '\n':
		s.parts = 1
	}
	s.inLine = char != '\n' && (s.inLine || char > ' ')
}

// lineLength is the length of the first line, without its newline.
func lineLength(text string) int {
	if i := strings.IndexByte(text, '\n'); i >= 0 {
		return i
	}
	return len(text)
}

// stringLength is the length of the string that the text begins with. A string that does not end is
// as long as the text, or as its line if it may have only one.
func stringLength(text string) int {
	quote := text[:1]
	end := quote
	if strings.HasPrefix(text, strings.Repeat(quote, 3)) {
		end = strings.Repeat(quote, 3)
	}
	for i := len(end); i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == `"`:
			i++
		case strings.HasPrefix(text[i:], end):
			return i + len(end)
		case text[i] == '\n' && len(end) == 1:
			return i
		}
	}
	return len(text)
}
