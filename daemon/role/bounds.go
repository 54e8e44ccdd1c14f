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
	// parser's time and memory grow with the square of both: a key of 5,000 parts took 16 s and
	// 2.6 GB (https://github.com/BurntSushi/toml/issues/496). A real file needs five.
	maxDepth = 32
)

// bounds looks through a text for more than the parser can be trusted with, before it is parsed. It
// returns the offset of what is too much and the complaint, which is empty if the text is fine.
//
// It knows as little TOML as that takes: strings, comments, brackets, and the dots between the parts
// of a key. The parser refuses the rest.
func bounds(text string) (offset int, complaint string) {
	keys, parts, open := 0, 1, 0
	inLine := false // something stands before this on its line
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '#':
			i += lineLength(text[i:]) - 1
			continue
		case '"', '\'':
			i += stringLength(text[i:]) - 1
			inLine = true
			continue
		case '.':
			parts++
		case '[', '{':
			if open == 0 && !inLine { // the header of a table
				keys++
			}
			open++
			parts = 1
		case ']', '}':
			open = max(0, open-1)
			parts = 1
		case '=':
			keys++
			parts = 1
		case '\n':
			parts = 1
		case ',':
			parts = 1
		}
		inLine = text[i] != '\n' && (inLine || text[i] > ' ')
		switch {
		case parts > maxDepth:
			return i, fmt.Sprintf("must not have a key of more than %d parts", maxDepth)
		case open > maxDepth:
			return i, fmt.Sprintf("must not have more than %d brackets inside each other", maxDepth)
		case keys > maxKeys:
			return i, fmt.Sprintf("must hold at most %d keys", maxKeys)
		}
	}
	return 0, ""
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
