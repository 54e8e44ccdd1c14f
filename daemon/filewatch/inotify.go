package filewatch

import (
	"fmt"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// Inotify receives the kernel's events of the folders that are watched. A nil Inotify receives
// none.
type Inotify struct {
	fs      *fsnotify.Watcher
	folders map[string]inode // those that are watched
	route   route
}

// Open makes an Inotify. It fails if the host's inotify instances are used up
// (fs.inotify.max_user_instances).
func Open() (*Inotify, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("cannot watch files: %w", err)
	}
	return &Inotify{fs: fs, folders: map[string]inode{}}, nil
}

// Close ends the watch.
func (i *Inotify) Close() error { return i.fs.Close() }

func (i *Inotify) events() <-chan fsnotify.Event {
	if i == nil {
		return nil
	}
	return i.fs.Events
}

func (i *Inotify) errors() <-chan error {
	if i == nil {
		return nil
	}
	return i.fs.Errors
}

// follow watches every folder on the route to the paths as it is now. A folder may not be watched
// for want of rights or of the host's inotify watches. The look every 30 s covers such a folder.
func (i *Inotify) follow(paths []string) {
	if i == nil {
		return
	}
	i.route = findRoute(paths)
	for folder, id := range i.folders {
		if now, onWay := i.route.folders[folder]; !onWay || now != id {
			_ = i.fs.Remove(folder)
			delete(i.folders, folder)
		}
	}
	for folder, id := range i.route.folders {
		// Add it even if it was added before: a folder that has gone and come back may have the same
		// inode, without the watch.
		if i.fs.Add(folder) == nil {
			i.folders[folder] = id
		}
	}
}

// concerns says whether the name in an event is on the route to a path, or at its end.
func (i *Inotify) concerns(name string) bool {
	name = filepath.Clean(name) // "//etc" of the root folder
	if i.route.names[name] {
		return true
	}
	for _, pattern := range i.route.patterns {
		if filepath.Dir(name) == filepath.Dir(pattern) && matches(pattern, name) {
			return true
		}
	}
	return false
}
