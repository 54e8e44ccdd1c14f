package environ

import (
	"errors"
	"fmt"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// File is a KEY=value file. Its values must not be shown.
type File struct {
	Path     string
	Settings []Setting
}

// Setting is one line of a File.
type Setting struct {
	Name string
	Line int

	value string
}

// ParseFile parses the text of a file of lines NAME=value. Blank lines and lines that begin with #
// are comments. A value goes to the end of its line, has no quotes, and nothing in it is replaced.
// No error quotes a value.
func ParseFile(path, text string, from role.EnvFrom) (File, error) {
	f := File{Path: path}
	var problems []error
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		if wrong := wrongLine(line, name, value, from); wrong != "" {
			problems = append(problems, fmt.Errorf("%s:%d: %s", path, number, wrong))
			continue
		}
		f.Settings = append(f.Settings, Setting{Name: name, Line: number, value: value})
	}
	return f, errors.Join(problems...)
}

// wrongLine says what is wrong with a line, without quoting its value; "" = nothing.
func wrongLine(line, name, value string, from role.EnvFrom) string {
	instead, reserved := from.Reserved(name)
	switch {
	case strings.HasPrefix(line, "export "):
		return "must be NAME=value, without export: this is not a shell script"
	case !role.IsVariable(name) || !strings.Contains(line, "="):
		return "must be NAME=value"
	case reserved:
		return name + " must not be set here: " + instead
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return name + " must have no control characters, such as a carriage return, in its value"
	case strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'"):
		return name + " must have its value without quotes, which would be part of it"
	}
	return ""
}
