//go:build pages

// With the tag pages this is not raynoded, but what writes its man pages and shell completions for the packages, from the
// descriptions of the commands:
//
//	go run -tags pages ./cmd/raynoded FOLDER
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// files is what the page of raynoded itself says beside what --help does.
const files = `

# FILES
**/etc/raynoded/role.toml**
	the role file of raynoded.service; /etc/raynoded/NAME.toml is that of raynoded@NAME.service

**/etc/raynoded/role.toml.d/\*.toml**
	drop-ins, laid over it in name order

**/usr/share/raynoded/examples**
	role files with every key explained, and drop-ins for the unit

**/run/raynoded/role/ray.env**
	where the cluster is, for programs of this host that use it

**/var/lib/raynoded/role**
	the state: Ray's sessions, and how the last run ended
`

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "pages: one argument is needed: the folder to write to")
		os.Exit(exitUsage)
	}
	if err := writePages(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pages:", err)
		os.Exit(1)
	}
}

func writePages(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := writeCompletions(dir); err != nil {
		return err
	}
	return writeManual(rootCommand(), dir)
}

// writeCompletions uses a root of its own: what cobra adds for the shells is no command of ours with a page.
func writeCompletions(dir string) error {
	root := rootCommand()
	for name, write := range map[string]func(string) error{
		"raynoded.bash": func(path string) error { return root.GenBashCompletionFileV2(path, true) },
		"_raynoded":     root.GenZshCompletionFile,
		"raynoded.fish": func(path string) error { return root.GenFishCompletionFile(path, true) },
	} {
		if err := write(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// writeManual writes the page of a command and those of the commands below it, compressed as packages have them.
func writeManual(cmd *cobra.Command, dir string) error {
	for _, sub := range cmd.Commands() {
		if sub.Name() == "help" {
			continue
		}
		if err := writeManual(sub, dir); err != nil {
			return err
		}
	}
	forMarkdown(cmd)
	page := bytes.Buffer{}
	header := doc.GenManHeader{Section: "8", Source: "raynoded " + version, Manual: "Ray nodes"}
	if err := doc.GenMan(cmd, &header, &page); err != nil {
		return err
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".8.gz"
	file, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer file.Close()
	small, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := small.Write(page.Bytes()); err != nil {
		return err
	}
	if err := small.Close(); err != nil {
		return err
	}
	return file.Close()
}

// forMarkdown makes the texts of a command what cobra takes them for.
func forMarkdown(cmd *cobra.Command) {
	plain := strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "`", "\\`")
	cmd.DisableAutoGenTag = true
	cmd.Long = plain.Replace(cmd.Long)
	cmd.Use = plain.Replace(cmd.Use)
	if !cmd.HasParent() {
		cmd.Long += files
	}
}
