package ray

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

const (
	tailSize = 16 << 10 // bytes looked at from the end of a log
	maxWords = 300      // bytes of a line quoted in an error
)

var (
	// logLine matches the start of a line in Ray's C++ logs, such as [2026-11-23 09:14:50,840 E
	// 9638 9679] (raylet) file.cc:83:.
	logLine = regexp.MustCompile(`^\[[0-9-]+ [0-9:,.]+ ([A-Z]) \d+ \d+\] (?:\([^)]*\) )?(?:[\w./]+:\d+: +)?`)
	colour  = regexp.MustCompile("\x1b\\[[0-9;]*m")
)

// LastWords returns the line that best says why a program of Ray's ended. That is the exception of
// an agent that took the program along, or the last error or failed check in its log, or the last
// line of its stderr. "" = there is nothing to read.
func LastWords(p Program) string {
	out, err := lines(p.Stdout), lines(p.Stderr)
	if agent := failedAgent(out); agent != "" {
		return clip(fmt.Sprintf("its %s ended%s", agent, p.agentWords(agent, err)))
	}
	for _, log := range [][]string{err, out} {
		for i := len(log) - 1; i >= 0; i-- {
			m := logLine.FindStringSubmatch(log[i])
			if m == nil || !strings.Contains("CFE", m[1]) {
				continue
			}
			if text := strings.TrimPrefix(log[i][len(m[0]):], boilerplate); !isFrame(text) {
				return clip(text)
			}
		}
	}
	return last(err)
}

// boilerplate is what Ray writes before the cause of a failed check (2.60).
const boilerplate = "An unexpected system state has occurred. You have likely discovered a bug in Ray. " +
	"Please report this issue at https://github.com/ray-project/ray/issues and we'll work with you to fix it. "

// isFrame says whether a line of the log belongs to a stack trace. The trace comes after the line
// that says what failed.
func isFrame(text string) bool {
	return strings.HasPrefix(text, "@ ") || strings.HasPrefix(text, "PC: ")
}

// OutputWords returns the last line that `ray start` printed to a file. Of a traceback, that is
// the exception.
func OutputWords(file string) string {
	return last(lines(file))
}

// VersionsDiffer says whether `ray start` refused because the cluster runs another version of Ray
// or Python (Ray's check_version_info).
func VersionsDiffer(file string) bool {
	for _, line := range lines(file) {
		if strings.Contains(line, "Version mismatch") {
			return true
		}
	}
	return false
}

func last(log []string) string {
	if len(log) == 0 {
		return ""
	}
	line := log[len(log)-1]
	return clip(line[len(logLine.FindString(line)):])
}

func clip(line string) string {
	if len(line) > maxWords {
		line = line[:maxWords] + "…"
	}
	return strings.ToValidUTF8(line, "?")
}

// lines returns the non-empty lines at the end of a file that belongs to this user, without
// colours and control characters.
func lines(file string) []string {
	f, err := openOwned(file, os.O_RDONLY)
	if err != nil {
		return nil
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil {
		_, _ = f.Seek(max(0, end-tailSize), io.SeekStart)
	}
	text, _ := io.ReadAll(io.LimitReader(f, tailSize))
	var found []string
	for line := range strings.Lines(colour.ReplaceAllString(string(text), "")) {
		line = strings.Map(printable, strings.TrimSpace(line))
		if line != "" {
			found = append(found, line)
		}
	}
	return found
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}
