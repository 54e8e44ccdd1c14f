package fakeray

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Main plays a program of Ray's and returns its exit code, if this process was started as one;
// otherwise played is false and nothing has happened. It belongs first into TestMain.
func Main() (code int, played bool) {
	name, args := program(os.Args)
	switch name {
	case "":
		return 0, false
	case "python":
		fmt.Println(pythonVersion(), rayVersion())
		return 0, true
	case "ray":
		return ray(args), true
	}
	f := Folder(os.Getenv("FAKERAY_DIR"))
	switch name {
	case "gcs_server":
		f.enter(name)
		return f.gcsServer(args), true
	case "raylet":
		f.enter(name)
		return f.raylet(args), true
	case "actor":
		f.enter(name)
		return f.actor(), true
	default:
		came := make(chan os.Signal, 1)
		signal.Notify(came, syscall.SIGTERM) // who is seen can be asked
		f.enter(name)
		<-came
		f.leave(name)
		return 0, true
	}
}

// program reads a command line: what is played, "" if nothing is, and the arguments for it.
func program(argv []string) (name string, args []string) {
	base := filepath.Base(argv[0])
	switch {
	case base == "ray":
		return "ray", argv[1:]
	case base == "gcs_server", base == "raylet":
		return base, argv[1:]
	case strings.HasPrefix(argv[0], "ray::"):
		return strings.TrimPrefix(argv[0], "ray::"), nil
	case base != "python3" || len(argv) < 2:
		return "", nil
	case argv[1] == "-c":
		return "python", nil
	case filepath.Base(argv[1]) == "ray":
		return "ray", argv[2:]
	case argv[1] == "-u" || argv[1] == "-m":
		argv = argv[1:]
	}
	return strings.TrimSuffix(filepath.Base(argv[1]), ".py"), argv[2:]
}

func ray(args []string) int {
	switch {
	case len(args) == 1 && args[0] == "--version":
		fmt.Println("ray, version", rayVersion())
		return 0
	case len(args) > 0 && args[0] == "start":
		f := Folder(os.Getenv("FAKERAY_DIR"))
		f.enter("ray start")
		if err := newStart(f, args[1:]).run(); err != nil {
			fmt.Printf("Traceback (most recent call last):\n  File \"ray/scripts/scripts.py\", line 1, in start\n%v\n", err)
			return 1
		}
		return 0
	}
	fmt.Println("Error: No such command")
	return 2
}

// flag returns the value of --name=value, "" if it is not there.
func flag(args []string, name string) string {
	for _, arg := range args {
		if value, found := strings.CutPrefix(arg, "--"+name+"="); found {
			return value
		}
	}
	return ""
}
