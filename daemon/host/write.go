package host

import (
	"errors"
	"os"
	"strings"

	"github.com/raynoded/raynoded/daemon/reason"
)

// Replace writes a file in one step: a reader sees the old one or the new one.
func Replace(path string, content []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// Remove takes away a file that may be missing.
func Remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// WriteNCCLConf writes the file for NCCL, or takes it away where there is nothing to say.
func (d Dirs) WriteNCCLConf(text string) error {
	var err error
	if text == "" {
		err = Remove(d.NCCLConf())
	} else {
		err = Replace(d.NCCLConf(), []byte(text))
	}
	if err != nil {
		return reason.Unfit("the runtime folder", "cannot write nccl.conf: %w", err)
	}
	return nil
}

// WriteRayEnv writes ray.env, by which other units and people's programs find the cluster: without
// it, a driver on this host starts a Ray of its own and nobody notices.
func (d Dirs) WriteRayEnv(instance string, variables []string) error {
	text := "# Where the Ray cluster of raynoded's instance " + instance + " is. Gone when the node is not in it.\n" +
		strings.Join(quoted(variables), "\n") + "\n"
	if err := Replace(d.RayEnv(), []byte(text)); err != nil {
		return reason.Unfit("the runtime folder", "cannot write ray.env: %w", err)
	}
	return nil
}

// quoted puts the values of NAME=value into single quotes where a shell or systemd would read them
// otherwise than they are. Both read 'a b' alike; a single quote in a value is for a shell only.
func quoted(variables []string) []string {
	var lines []string
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		if strings.ContainsFunc(value, special) {
			value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		}
		lines = append(lines, name+"="+value)
	}
	return lines
}

// special says whether a character may mean something to a shell.
func special(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune("_-./:,@%+=[]", r)
}
