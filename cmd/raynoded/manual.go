//go:build pages

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// files is what the page of raynoded lists.
var files = []entry{
	{defaultRole, "The role file of raynoded.service; /etc/raynoded/NAME.toml is that of raynoded@NAME.service."},
	{defaultRole + ".d/*.toml", "Drop-ins, laid over the role file in name order."},
	{
		"/etc/raynoded/profiles/*.toml",
		"Environment profiles of this site, before those of the same name in /usr/share/raynoded/profiles.",
	},
	{"/usr/share/raynoded/role.schema.json", "The JSON schema of the role file, for editors."},
	{"/usr/share/raynoded/examples", "Role files with every key explained, and drop-ins for the unit."},
	{"/usr/share/raynoded/profiles", "Environment profiles for env_from.profiles."},
	{
		"/run/raynoded/role/ray.env",
		"Where the cluster is, for programs of this host that use it. It is there while the node is in the cluster.",
	},
	{"/run/raynoded/role/ray-token", "The token that Ray was started with, where the role names a token_file."},
	{"/var/lib/raynoded/role", "The state: Ray's sessions and logs, and in last-end.json how the last run ended."},
}

// others are pages of other programs, and of the role file.
const others = `\fBraynoded.toml\fP(5), \fBsystemctl\fP(1), \fBjournalctl\fP(1), \fBsystemd.unit\fP(5)`

// writeManual writes a page for raynoded and one for each of its commands.
func writeManual(dir string) error {
	root := rootCommand()
	root.InitDefaultVersionFlag()
	for _, cmd := range append(root.Commands(), root) {
		page, err := manual(cmd)
		if err != nil {
			return err
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".8.gz"
		if err := writeCompressed(filepath.Join(dir, name), page); err != nil {
			return err
		}
	}
	return nil
}

// manual returns the page that cobra makes of a command. Before the last section, SEE ALSO, it
// inserts the sections that cobra does not know.
func manual(cmd *cobra.Command) ([]byte, error) {
	date, err := pageDate()
	if err != nil {
		return nil, err
	}
	forMarkdown(cmd)
	page := bytes.Buffer{}
	header := doc.GenManHeader{Section: "8", Date: &date, Source: "raynoded " + version, Manual: "Ray nodes"}
	if err := doc.GenMan(cmd, &header, &page); err != nil {
		return nil, err
	}
	text := strings.ReplaceAll(page.String(), "[=false]", "") // nobody writes --json=false
	own, also, found := strings.Cut(text, ".SH SEE ALSO\n")
	if !found {
		return nil, fmt.Errorf("%s: cobra writes no SEE ALSO any more", cmd.CommandPath())
	}
	if cmd.HasParent() {
		own += section("EXIT STATUS", exitEntries(cmd.Name()))
	} else {
		own += section("COMMANDS", commandEntries(cmd)) + section("FILES", files)
		also = strings.TrimSpace(also) + ", " + others + "\n"
	}
	return []byte(own + ".SH SEE ALSO\n" + also), nil
}

func exitEntries(name string) []entry {
	var all []entry
	for _, e := range exits[name] {
		all = append(all, entry{e.word(), e.text})
	}
	return all
}

func commandEntries(root *cobra.Command) []entry {
	var all []entry
	for _, cmd := range root.Commands() {
		if cmd.IsAvailableCommand() {
			all = append(all, entry{"raynoded " + cmd.Name(), cmd.Short})
		}
	}
	return all
}

// pageDate is the day of the commit in UTC, or today.
func pageDate() (time.Time, error) {
	epoch := os.Getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Now().UTC(), nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	return time.Unix(seconds, 0).UTC(), err
}

// forMarkdown escapes the texts of a command, as cobra takes them for Markdown.
func forMarkdown(cmd *cobra.Command) {
	cmd.DisableAutoGenTag = true
	cmd.Long = escape(cmd.Long)
	cmd.Use = escape(cmd.Use)
	if !cmd.HasParent() {
		cmd.Use += " COMMAND"
	}
}

// escape escapes a text so that Markdown leaves it as it is.
func escape(text string) string {
	return strings.NewReplacer("*", `\*`, "_", `\_`, "<", `\<`, "[", `\[`, "`", "\\`").Replace(text)
}

// entry is one item of a list and its description.
type entry struct{ name, text string }

// section returns a list as a section of a page; "" if the list is empty.
func section(title string, entries []entry) string {
	if len(entries) == 0 {
		return ""
	}
	plain := strings.NewReplacer(`\`, `\e`, "-", `\-`)
	text := ".SH " + title + "\n"
	for _, e := range entries {
		text += ".TP\n\\fB" + plain.Replace(e.name) + "\\fP\n" + plain.Replace(e.text) + "\n"
	}
	return text
}
