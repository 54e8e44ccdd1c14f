//go:build ray

package gcs

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// dump prints what a wheel of Ray says of the names given: a line per field, enum
// value and method.
const dump = `
import sys
from ray.core.generated import autoscaler_pb2, common_pb2, gcs_pb2, gcs_service_pb2
files = [m.DESCRIPTOR for m in (autoscaler_pb2, common_pb2, gcs_pb2, gcs_service_pb2)]
kinds = {1: "double", 3: "int64", 4: "uint64", 5: "int32", 8: "bool",
         9: "bytes", 11: "message", 12: "bytes", 14: "enum"}
def walk(m):
    for f in m.fields:
        many = f.is_repeated if hasattr(f, "is_repeated") else f.label == 3
        print(m.full_name, f.number, kinds.get(f.type, f.type), str(bool(many)).lower())
    for e in m.enum_types:
        for v in e.values:
            print(e.full_name, v.name, v.number)
    for n in m.nested_types:
        walk(n)
for f in files:
    for e in f.enum_types_by_name.values():
        for v in e.values:
            print(e.full_name, v.name, v.number)
    for m in f.message_types_by_name.values():
        walk(m)
    for s in f.services_by_name.values():
        for c in s.methods:
            print(s.full_name, c.name, c.input_type.full_name, c.output_type.full_name)
`

// Both .proto files agree with every Ray it was checked on; a string there is bytes
// here, and a map is its entries.
func TestProto_Ray(t *testing.T) {
	absent := map[string][]string{"2.9.3": {
		"ray.rpc.NodeDeathInfo 2 bytes false",
		"ray.rpc.autoscaler.DrainNodeRequest 4 int64 false",
		"ray.rpc.autoscaler.DrainNodeReply 2 bytes false",
	}}
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			r := newRay(t, version)
			out, err := exec.Command(filepath.Join(r.home, "bin/python"), "-c", dump).Output()
			require.NoError(t, err)
			theirs := strings.Split(strings.TrimSpace(string(out)), "\n")
			var missing []string
			ours := described()
			for _, line := range ours {
				if !strings.Contains("\n"+string(out), "\n"+line+"\n") {
					missing = append(missing, line)
				}
			}
			t.Logf("%d of %d lines compared", len(ours), len(theirs))
			require.Equal(t, absent[version], missing)
		})
	}
}

func described() (lines []string) {
	for _, file := range []protoreflect.FileDescriptor{gcspb.File_gcs_proto, gcspb.File_autoscaler_proto} {
		lines = append(lines, describe(file)...)
	}
	return lines
}

func describe(file protoreflect.FileDescriptor) (lines []string) {
	line := func(parts ...any) { lines = append(lines, strings.TrimSuffix(fmt.Sprintln(parts...), "\n")) }
	enums := func(all protoreflect.EnumDescriptors) {
		for i := range all.Len() {
			e := all.Get(i)
			for j := range e.Values().Len() {
				line(e.FullName(), e.Values().Get(j).Name(), e.Values().Get(j).Number())
			}
		}
	}
	var walk func(protoreflect.MessageDescriptors)
	walk = func(messages protoreflect.MessageDescriptors) {
		for i := range messages.Len() {
			m := messages.Get(i)
			for j := range m.Fields().Len() {
				f := m.Fields().Get(j)
				line(m.FullName(), f.Number(), f.Kind(), f.IsList())
			}
			enums(m.Enums())
			walk(m.Messages())
		}
	}
	enums(file.Enums())
	walk(file.Messages())
	for i := range file.Services().Len() {
		s := file.Services().Get(i)
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			line(s.FullName(), m.Name(), m.Input().FullName(), m.Output().FullName())
		}
	}
	return lines
}
