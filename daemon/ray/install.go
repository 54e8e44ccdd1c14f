package ray

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Install is the Ray that a host has.
type Install struct {
	Bin    string // the `ray` program
	Ray    string // its version, such as "2.60.0"
	Python string // the version of the Python it runs on, such as "3.11.7"; "" where the program is no Python script
}

// ErrNotRay says that the program named by ray.bin is missing or is no Ray.
var ErrNotRay = errors.New("not a Ray program")

// Output runs a short command to its end and returns its standard output.
type Output func(ctx context.Context, cmd *exec.Cmd) ([]byte, error)

// versionScript prints the two versions without importing Ray, which takes 0.1 s. `ray --version`
// takes 2 s.
const versionScript = `import platform, importlib.metadata as m; print(platform.python_version(), m.version("ray"))`

// Inspect finds out which Ray bin is. It reads the files of bin's virtual environment, if there is
// one, which takes 0.1 ms. Such a file may be older than the Python that it describes; Ask knows
// better. The error wraps ErrNotRay.
func Inspect(ctx context.Context, bin string, output Output) (Install, error) {
	info, err := os.Stat(bin)
	switch {
	case err != nil:
		return Install{}, fmt.Errorf("%w: %s: %w", ErrNotRay, bin, cause(err))
	case info.IsDir() || info.Mode().Perm()&0o111 == 0:
		return Install{}, fmt.Errorf("%w: %s: not an executable file", ErrNotRay, bin)
	}
	if install, found := read(bin, interpreter(bin)); found {
		return install, nil
	}
	return Ask(ctx, bin, output)
}

// Ask runs the Python named in the script's first line and asks it for the versions. A program of
// another kind is run with --version.
func Ask(ctx context.Context, bin string, output Output) (Install, error) {
	if python := interpreter(bin); python != "" {
		out, err := output(ctx, exec.CommandContext(ctx, python, "-c", versionScript))
		if words := strings.Fields(string(out)); err == nil && len(words) == 2 {
			return Install{Bin: bin, Python: words[0], Ray: words[1]}, nil
		}
	}
	out, err := output(ctx, exec.CommandContext(ctx, bin, "--version"))
	if ctx.Err() != nil {
		return Install{}, context.Cause(ctx)
	}
	version, found := strings.CutPrefix(strings.TrimSpace(string(out)), "ray, version ")
	if err != nil || !found {
		return Install{}, fmt.Errorf("%w: %s: `%s --version` does not answer as Ray does", ErrNotRay, bin, filepath.Base(bin))
	}
	return Install{Bin: bin, Ray: version}, nil
}

var (
	// pythonVersion matches a line of the pyvenv.cfg that venv, virtualenv or uv wrote.
	pythonVersion = regexp.MustCompile(
		`(?m)^version(?:_info)? *= *(\d+\.\d+\.\d+)`,
	)
	rayVersion = regexp.MustCompile(`(?m)^version = "([^"]+)"`) // ray/_version.py
)

// read reads both versions from the virtual environment that python belongs to.
func read(bin, python string) (Install, bool) {
	venv := filepath.Dir(filepath.Dir(python))
	config, err := os.ReadFile(filepath.Join(venv, "pyvenv.cfg"))
	if err != nil {
		return Install{}, false
	}
	files, err := filepath.Glob(filepath.Join(venv, "lib", "python3.*", "site-packages", "ray", "_version.py"))
	if err != nil || len(files) != 1 {
		return Install{}, false
	}
	text, err := os.ReadFile(files[0])
	python3, ray := pythonVersion.FindSubmatch(config), rayVersion.FindSubmatch(text)
	if err != nil || python3 == nil || ray == nil {
		return Install{}, false
	}
	return Install{Bin: bin, Python: string(python3[1]), Ray: string(ray[1])}, true
}

// interpreter returns the Python named in a script's first line; "" = there is none.
func interpreter(script string) string {
	f, err := os.Open(script)
	if err != nil {
		return ""
	}
	defer f.Close()
	line, err := bufio.NewReaderSize(f, 512).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "#!") {
		return ""
	}
	words := strings.Fields(line[2:])
	if len(words) != 1 || !strings.HasPrefix(filepath.Base(words[0]), "python") {
		return ""
	}
	return words[0]
}

func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// AtLeast says whether the install's version is major.minor or newer. A version that cannot be read
// counts as newer.
func (i Install) AtLeast(major, minor int) bool {
	return AtLeast(i.Ray, major, minor)
}

// AtLeast says whether a Ray version such as "2.49.1" is major.minor or newer. One that cannot be
// read counts as newer.
func AtLeast(version string, major, minor int) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return true
	}
	have, err1 := strconv.Atoi(parts[0])
	haveMinor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return true
	}
	return have > major || have == major && haveMinor >= minor
}
