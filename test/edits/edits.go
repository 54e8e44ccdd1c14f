// Package edits gives a file a new text in the ways in which people and programs do.
package edits

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// Role is a text for the edit of that number, and the cluster.name that it says; "" if it is no
// good.
func Role(random *rand.Rand, number int) (text, name string) {
	switch random.IntN(4) {
	case 0:
		return "name = [\n", ""
	case 1:
		return "cluster.name = 7\n", ""
	}
	name = fmt.Sprintf("n%d", number)
	return "# half of this file is a role, too\ncluster.name = '" + name + "'\n", name
}

// way gives the file at path a text. When it returns, the file is complete.
type way func(random *rand.Rand, path, text string) error

var ways = []way{atOnce, inPlace, slowly, aside, linked, fromElsewhere}

// Write writes the file in a way of its choice. Its folder must be there.
func Write(random *rand.Rand, path, text string) error {
	return ways[random.IntN(len(ways))](random, path, text)
}

// atOnce is how Ansible, Puppet, Salt and `sed -i` write: a new file beside it takes its name.
func atOnce(_ *rand.Rand, path, text string) error {
	temp := filepath.Join(filepath.Dir(path), ".ansible_tmp"+filepath.Base(path))
	if err := inPlace(nil, temp, text); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// inPlace is how a shell's > and many editors write.
func inPlace(_ *rand.Rand, path, text string) error {
	return os.WriteFile(path, []byte(text), 0o600)
}

// slowly is a writer that pauses half-way.
func slowly(random *rand.Rand, path, text string) error {
	half := random.IntN(len(text))
	if err := inPlace(nil, path, text[:half]); err != nil {
		return err
	}
	time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text[half:]); err != nil {
		return err
	}
	return f.Close()
}

// aside is how vim writes with a backup: the former file gives up its name first.
func aside(_ *rand.Rand, path, text string) error {
	if err := os.Rename(path, path+"~"); err != nil && !os.IsNotExist(err) {
		return err
	}
	return inPlace(nil, path, text)
}

// linked is how Kubernetes and Nix write: the name is a link, which is switched to another file.
func linked(random *rand.Rand, path, text string) error {
	target, err := os.CreateTemp(filepath.Dir(filepath.Dir(path)), "linked")
	if err != nil {
		return err
	}
	if err := target.Close(); err != nil {
		return err
	}
	if err := inPlace(nil, target.Name(), text); err != nil {
		return err
	}
	if err := os.Symlink(target.Name(), path+"~new"); err != nil {
		return err
	}
	return os.Rename(path+"~new", path)
}

// fromElsewhere moves in a file that was written in another folder.
func fromElsewhere(_ *rand.Rand, path, text string) error {
	other := filepath.Join(filepath.Dir(filepath.Dir(path)), filepath.Base(path)+"-elsewhere")
	if err := inPlace(nil, other, text); err != nil {
		return err
	}
	return os.Rename(other, path)
}
