package role

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"
)

// document is one parsed file.
type document struct {
	path string
	text string
	meta toml.MetaData
}

// node is one key of a document with its value.
type node struct {
	doc       *document
	key       toml.Key // empty for the document itself
	primitive toml.Primitive
	value     any              // as the parser decodes it
	table     map[string]*node // nil if the value is not a table
}

func (n *node) name() string { return n.key.String() }

// parse returns the document as a tree, or what is wrong with it and where.
func parse(path string, data []byte) (*node, *Problem) {
	doc := &document{path: path, text: strings.TrimPrefix(string(data), "\ufeff")}
	if offset, complaint := bounds(doc.text); complaint != "" {
		line, col := doc.place(offset)
		return nil, &Problem{File: path, Line: line, Col: col, Text: complaint}
	}
	var table map[string]toml.Primitive
	var err error
	doc.meta, err = toml.Decode(doc.text, &table)
	if err != nil {
		return nil, doc.syntax(err)
	}
	if n := len(doc.meta.Keys()); n > maxKeys {
		return nil, &Problem{File: path, Line: 1, Col: 1, Text: fmt.Sprintf("must hold at most %d keys, got %d", maxKeys, n)}
	}
	return &node{doc: doc, value: map[string]any{}, table: doc.nodes(nil, table)}, nil
}

func (d *document) nodes(parent toml.Key, table map[string]toml.Primitive) map[string]*node {
	nodes := make(map[string]*node, len(table))
	for name, primitive := range table {
		n := &node{doc: d, key: append(parent[:len(parent):len(parent)], name), primitive: primitive}
		// Neither call fails: any holds every value, and the second value is a table.
		_ = d.meta.PrimitiveDecode(primitive, &n.value)
		if _, isTable := n.value.(map[string]any); isTable {
			var inner map[string]toml.Primitive
			_ = d.meta.PrimitiveDecode(primitive, &inner)
			n.table = d.nodes(n.key, inner)
		}
		nodes[name] = n
	}
	return nodes
}

// syntax turns an error of the parser into a complaint. The parser may quote the text, so of its
// words about [auth] only the reason is shown.
func (d *document) syntax(err error) *Problem {
	p := &Problem{File: d.path, Line: 1, Col: 1}
	message := err.Error()
	var parse toml.ParseError
	if errors.As(err, &parse) {
		message = parse.Message
		p.Line, p.Col = d.place(parse.Position.Start)
		if secret(parse.LastKey) && !strings.HasPrefix(message, "Key ") {
			message = withoutText(message)
		}
	}
	p.Text = "must be valid TOML: " + oneLine(strings.TrimSuffix(message, "."))
	return p
}

// withoutText is the reason in a message of the parser: what stands before the first quote, which
// opens what the parser has read. One message begins with a number that it has read.
func withoutText(message string) string {
	if strings.Contains(message, " is out of range for ") {
		message = "a number is out of range"
	}
	if i := strings.IndexAny(message, "\"'`"); i >= 0 {
		message = strings.TrimRight(message[:i], " :")
		for _, opening := range []string{", but got", " but found", "; expected"} {
			message = strings.TrimSuffix(message, opening)
		}
	}
	return message + " (the text is not shown, it may be a secret)"
}

// errHere is the error of a refuser; no user sees it.
var errHere = errors.New("here")

// refuser refuses every value, so that the decoder says where the value is: only its errors have a
// place.
type refuser struct{}

func (*refuser) UnmarshalTOML(any) error { return errHere }

// start is the offset of the value in the text: after the opening quotes of a string, at the
// bracket of an array or a table. A table without a header of its own starts at its first key.
func (n *node) start() int {
	if len(n.key) == 0 {
		return 0
	}
	var here toml.ParseError
	err := n.doc.meta.PrimitiveDecode(n.primitive, &refuser{})
	if errors.As(err, &here) && here.Position.Line > 0 {
		return here.Position.Start
	}
	first := len(n.doc.text)
	for _, child := range n.table {
		first = min(first, child.start())
	}
	return first
}

// place turns an offset into line and column. The decoder's own numbers are not used: for a string
// of several lines it gives the line of its end.
func (d *document) place(offset int) (line, col int) {
	before := d.text[:max(0, min(offset, len(d.text)))]
	newline := strings.LastIndexByte(before, '\n')
	return strings.Count(before, "\n") + 1, utf8.RuneCountInString(before[newline+1:]) + 1
}
