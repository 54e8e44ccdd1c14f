package ray

import (
	"path/filepath"
	"strings"
)

// reporter is a module of Ray's dashboard agent, in every Ray from 2.9 to 2.60, and one of the last
// that it imports: where it has been compiled, so have the others.
const reporter = "ray/dashboard/modules/reporter/reporter_agent"

// Uncompiled is the folder of Ray's Python packages if they have no compiled files (.pyc): uv makes
// none unless it is told to, and a user who may not write there never does. What Ray's agents
// import then costs four times the CPU at every start (2.60: 2.6 s for 0.6 s). "" = they are
// compiled, or nobody knows.
func (i Install) Uncompiled() (packages string) {
	python := interpreter(i.Bin)
	if python == "" {
		return ""
	}
	prefix := filepath.Dir(filepath.Dir(python))
	sources, err := filepath.Glob(filepath.Join(prefix, "lib", "python3.*", "site-packages", reporter+".py"))
	if err != nil || len(sources) != 1 {
		return ""
	}
	dir, file := filepath.Split(sources[0])
	compiled, err := filepath.Glob(filepath.Join(dir, "__pycache__", strings.TrimSuffix(file, "py")+"*.pyc"))
	if err != nil || len(compiled) > 0 {
		return ""
	}
	return strings.TrimSuffix(sources[0], "/"+reporter+".py")
}

// Compile is the command, for a person, that compiles a folder of Python packages.
func (i Install) Compile(packages string) string {
	return interpreter(i.Bin) + " -m compileall -q -j 0 " + packages
}
