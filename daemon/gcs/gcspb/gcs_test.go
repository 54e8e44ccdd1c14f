package gcspb

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// The generated code is what the .proto files say: every field line of a file, by
// its message, is in the descriptor, and nothing else is.
func TestProto_Generated(t *testing.T) {
	for _, file := range []protoreflect.FileDescriptor{File_gcs_proto, File_autoscaler_proto} {
		text, err := os.ReadFile(file.Path())
		require.NoError(t, err)
		require.ElementsMatch(t, written(string(text)), described(file), file.Path())
	}
}

// written are the field lines of a .proto file.
func written(text string) []string {
	var want, path []string
	opens := regexp.MustCompile(`^(?:message|enum|service) (\w+) \{(\})?`)
	field := regexp.MustCompile(`^(?:(repeated) )?([\w]+) (\w+) = (\d+);`)
	value := regexp.MustCompile(`^(\w+) = (\d+);`)
	method := regexp.MustCompile(`^rpc (\w+)\((\w+)\) returns \((\w+)\);`)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch m := opens.FindStringSubmatch(line); {
		case m != nil && m[2] == "":
			path = append(path, m[1])
		case line == "}":
			path = path[:len(path)-1]
		default:
			for _, re := range []*regexp.Regexp{field, value, method} {
				if m := re.FindStringSubmatch(line); m != nil {
					want = append(want, strings.Join(append(path[:len(path):len(path)], m[1:]...), " "))
				}
			}
		}
	}
	return want
}

func described(file protoreflect.FileDescriptor) (lines []string) {
	var walk func(path string, messages protoreflect.MessageDescriptors, enums protoreflect.EnumDescriptors)
	walk = func(path string, messages protoreflect.MessageDescriptors, enums protoreflect.EnumDescriptors) {
		for i := range enums.Len() {
			for j := range enums.Get(i).Values().Len() {
				v := enums.Get(i).Values().Get(j)
				lines = append(lines, path+words(enums.Get(i).Name(), v.Name(), v.Number()))
			}
		}
		for i := range messages.Len() {
			m := messages.Get(i)
			for j := range m.Fields().Len() {
				f := m.Fields().Get(j)
				kind, many := f.Kind().String(), ""
				switch {
				case f.Message() != nil:
					kind = string(f.Message().Name())
				case f.Enum() != nil:
					kind = string(f.Enum().Name())
				}
				if f.IsList() {
					many = "repeated"
				}
				lines = append(lines, path+words(m.Name(), many, kind, f.Name(), f.Number()))
			}
			walk(path+string(m.Name())+" ", m.Messages(), m.Enums())
		}
	}
	walk("", file.Messages(), file.Enums())
	for i := range file.Services().Len() {
		s := file.Services().Get(i)
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			lines = append(lines, words(s.Name(), m.Name(), m.Input().Name(), m.Output().Name()))
		}
	}
	return lines
}

func words(parts ...any) string {
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = fmt.Sprint(part)
	}
	return strings.Join(texts, " ")
}
