package filewatch

import (
	"fmt"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// Kernel is what the kernel tells of the folders that are watched. Nil tells nothing.
type Kernel struct {
	fs      *fsnotify.Watcher
	folders map[string]inode // those that are watched
	way     way
}

// Open makes one, which fails where the host's inotify instances are used up
// (fs.inotify.max_user_instances).
func Open() (*Kernel, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("cannot watch files: %w", err)
	}
	return &Kernel{fs: fs, folders: map[string]inode{}}, nil
}

// Close ends it.
func (k *Kernel) Close() error { return k.fs.Close() }

func (k *Kernel) events() <-chan fsnotify.Event {
	if k == nil {
		return nil
	}
	return k.fs.Events
}

func (k *Kernel) errors() <-chan error {
	if k == nil {
		return nil
	}
	return k.fs.Errors
}

// follow watches every folder on the way to the paths as it is now. One that cannot be watched, for
// want of rights or of the host's inotify watches, is left to the tick.
func (k *Kernel) follow(paths []string) {
	if k == nil {
		return
	}
	k.way = explore(paths)
	for folder, id := range k.folders {
		if now, onWay := k.way.folders[folder]; !onWay || now != id {
			_ = k.fs.Remove(folder)
			delete(k.folders, folder)
		}
	}
	for folder, id := range k.way.folders {
		// Also if it was added before: a folder that went and came back may have the inode that it had,
		// without the watch.
		if k.fs.Add(folder) == nil {
			k.folders[folder] = id
		}
	}
}

// concerns says whether what an event names is on the way to a path, or the end of it.
func (k *Kernel) concerns(name string) bool {
	name = filepath.Clean(name) // "//etc" of the root folder
	if k.way.names[name] {
		return true
	}
	for _, pattern := range k.way.patterns {
		if filepath.Dir(name) == filepath.Dir(pattern) && matches(pattern, name) {
			return true
		}
	}
	return false
}
