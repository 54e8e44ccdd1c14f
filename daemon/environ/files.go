package environ

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/raynoded/raynoded/daemon/role"
)

// File is one KEY=value file. Its values are not for showing.
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

const maxFile = 1 << 20 // bytes

// ReadFile reads a file of lines NAME=value. Blank lines and those that begin with # are for
// people; a value goes to the end of its line, without quotes, and nothing in it is replaced.
// Nobody but the owner may write the file, and others may not read it. No error quotes a value.
func ReadFile(path string, from role.EnvFrom) (File, error) {
	info, err := os.Stat(path)
	switch mode := info; {
	case err != nil:
		return File{}, fmt.Errorf("cannot read it: %w", err)
	case !mode.Mode().IsRegular():
		return File{}, fmt.Errorf("%s must be a regular file", path)
	case mode.Size() > maxFile:
		return File{}, fmt.Errorf("%s must be at most %d bytes long, got %d", path, maxFile, mode.Size())
	case mode.Mode().Perm()&0o007 != 0:
		return File{}, fmt.Errorf(
			"everybody on this host may use %s (mode %04o): chmod o= %s", path, mode.Mode().Perm(), path,
		)
	case mode.Mode().Perm()&0o020 != 0:
		return File{}, fmt.Errorf("its group may write %s (mode %04o): chmod g-w %s", path, mode.Mode().Perm(), path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("cannot read it: %w", err)
	}
	f := File{Path: path}
	var problems []error
	number := 0
	for line := range strings.SplitSeq(string(text), "\n") {
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

// wrongLine says what is wrong with a line, without its value.
func wrongLine(line, name, value string, from role.EnvFrom) string {
	instead, reserved := from.Reserved(name)
	switch {
	case strings.HasPrefix(line, "export "):
		return "must be NAME=value, without export: this is no shell script"
	case !role.IsVariable(name) || !strings.Contains(line, "="):
		return "must be NAME=value"
	case reserved:
		return name + " is not to be set here: " + instead
	case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
		return name + " must have no control characters, such as a carriage return, in its value"
	case strings.HasPrefix(value, `"`) || strings.HasPrefix(value, "'"):
		return name + " must have its value without quotes, which would be part of it"
	}
	return ""
}
