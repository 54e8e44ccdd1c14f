//go:build pages

package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"

	"github.com/raynoded/raynoded/daemon/role"
)

// The page of the role file: its parts before and after the keys.
const (
	rolePageStart = `%% RAYNODED.TOML 5 "%s" "raynoded %s" "Ray nodes"

# NAME

raynoded.toml - the role file of raynoded

# SYNOPSIS

*/etc/raynoded/role.toml*

*/etc/raynoded/role.toml.d/\*.toml*

*/etc/raynoded/NAME.toml*, */etc/raynoded/NAME.toml.d/\*.toml*

# DESCRIPTION

A role file says what one host is to be in a Ray cluster. It is TOML. The file of raynoded.service is
*role.toml*, that of raynoded@NAME.service is *NAME.toml*. The files of the folder beside it whose names end
in *.toml* are laid over it in name order: a later key wins, tables merge, arrays replace.

A key that is not known, a value of the wrong type and values that do not go together are errors, and
**raynoded check** says all of them at once. **raynoded config** prints what the files come to. Commented
files are in */usr/share/raynoded/examples*, and */usr/share/raynoded/role.schema.json* is a JSON schema for
editors.

A duration is a string such as "500ms", "10s" or "1h30m", of ten years at most; a size is one such as "64GiB" (by
1024) or "100MB" (by 1000).

A file has at most 1 MiB and 1000 keys; a key has at most 32 parts, and at most 32 brackets are inside each other.

An edit of a key that is live applies to a node that runs. Any other one waits for Ray's next start, unless
reload.restart is "always".

# KEYS
`
	rolePageEnd = `
# EXAMPLE

The same file for every host of a cluster:

	role = "auto"

	[cluster]
	name = "grpo-a"
	head = "gpu-001.example.net:6379"
	nodes = 4

	[auth]
	mode = "token"
	token_file = "/etc/raynoded/token"

# SEE ALSO

**raynoded**(8), **raynoded-run**(8), **raynoded-check**(8), **raynoded-config**(8), **raynoded-env**(8),
**raynoded-reload**(8)
`
)

// writeRolePage writes raynoded.toml(5).
func writeRolePage(dir string) error {
	date, err := pageDate()
	if err != nil {
		return err
	}
	page := strings.Builder{}
	fmt.Fprintf(&page, rolePageStart, date.Format("Jan 2006"), version)
	writeTable(&page, "", role.NewSchema())
	page.WriteString(rolePageEnd)
	return writeCompressed(filepath.Join(dir, "raynoded.toml.5.gz"), md2man.Render([]byte(page.String())))
}

// writeTable describes the keys of a table, and then the tables in it.
func writeTable(page *strings.Builder, name string, table *role.Schema) {
	if name != "" {
		fmt.Fprintf(page, "\n## [%s]\n\n%s\n", escape(name), escape(table.Description))
		name += "."
	}
	for _, key := range table.Keys {
		if s := table.Properties[key]; s.Takes != "" {
			fmt.Fprintf(
				page, "\n**%s** = %s%s\n:   %s\n", escape(key), escape(s.Takes), escape(remarks(s)), escape(s.Description),
			)
		}
	}
	for _, key := range table.Keys {
		if s := table.Properties[key]; s.Takes == "" {
			writeTable(page, name+key, s)
		}
	}
}

// remarks returns the default, and whether the key is live.
func remarks(s *role.Schema) string {
	var all []string
	if s.Default != nil {
		all = append(all, fmt.Sprintf("default %#v", s.Default))
	}
	if s.Live {
		all = append(all, "live")
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + strings.Join(all, ", ") + ")"
}
