package ray

import (
	"path/filepath"
	"strings"
)

// reporterModule is a module of Ray's dashboard agent. Every Ray from 2.9 to 2.60 has it, and the
// agent imports it as one of the last: if it is compiled, the others are, too.
const reporterModule = "ray/dashboard/modules/reporter/reporter_agent"

// Uncompiled returns the folder of Ray's Python packages if they have no compiled files (.pyc). uv
// makes none unless it is told to, and a user without write access to the folder cannot make any.
// Importing Ray's agents then costs four times the CPU at every start (2.60: 2.6 s instead of 0.6
// s). "" = they are compiled, or that cannot be found out.
func (i Install) Uncompiled() (packages string) {
	python := interpreter(i.Bin)
	if python == "" {
		return ""
	}
	prefix := filepath.Dir(filepath.Dir(python))
	sources, err := filepath.Glob(filepath.Join(prefix, "lib", "python3.*", "site-packages", reporterModule+".py"))
	if err != nil || len(sources) != 1 {
		return ""
	}
	dir, file := filepath.Split(sources[0])
	compiled, err := filepath.Glob(filepath.Join(dir, "__pycache__", strings.TrimSuffix(file, "py")+"*.pyc"))
	if err != nil || len(compiled) > 0 {
		return ""
	}
	return strings.TrimSuffix(sources[0], "/"+reporterModule+".py")
}

// Compile returns the command by which a person compiles a folder of Python packages.
func (i Install) Compile(packages string) string {
	return interpreter(i.Bin) + " -m compileall -q -j 0 " + packages
}
