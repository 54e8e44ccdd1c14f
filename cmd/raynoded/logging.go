package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sirupsen/logrus"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/role"
)

// newLogger returns a logger that logs as the role file says. If the role file says nothing, it
// logs to the journal, with fields, if stderr is the journal, and as text if not.
func newLogger(l role.Log, stderr io.Writer) *logrus.Logger {
	log := logrus.New()
	setLog(log, l, stderr)
	return log
}

// setLog makes a logger log as the role file says. The logger may be in use.
func setLog(log *logrus.Logger, l role.Log, stderr io.Writer) {
	log.SetLevel(level(l.Level))
	hooks, out := logrus.LevelHooks{}, stderr
	switch {
	case toJournal(l):
		hooks.Add(journalHook{})
		out = io.Discard
	case l.Format == role.LogJSON:
		log.SetFormatter(&logrus.JSONFormatter{})
	default:
		log.SetFormatter(lines{colour: colours(stderr)})
	}
	log.ReplaceHooks(hooks)
	log.SetOutput(out)
}

func toJournal(l role.Log) bool {
	return l.Format == role.LogJournal || l.Format == "" && notify.UnderJournal()
}

// level is the logrus level of a word that the role file's check has accepted.
func level(word role.LogLevel) logrus.Level {
	found, err := logrus.ParseLevel(string(word))
	if err != nil {
		return logrus.InfoLevel
	}
	return found
}

// lines is the log for people: the time, what happened and why. The fields are for the journal and
// for JSON.
type lines struct{ colour bool }

func (l lines) Format(e *logrus.Entry) ([]byte, error) {
	text := e.Message + because(e)
	if e.Level <= logrus.WarnLevel {
		text = e.Level.String() + ": " + text
		if l.colour {
			text = "\x1b[31m" + text + "\x1b[0m"
		}
	}
	return []byte(e.Time.Format("15:04:05.000 ") + text + "\n"), nil
}

// because returns the reason among the fields of an entry, with a colon in front; "" = there is
// none.
func because(e *logrus.Entry) string {
	for _, name := range []string{"reason", logrus.ErrorKey} {
		if value, found := e.Data[name]; found {
			return fmt.Sprintf(": %v", value)
		}
	}
	return ""
}

// journalHook sends every entry to journald with its fields in capitals: journalctl -u raynoded
// PHASE=running.
type journalHook struct{}

func (journalHook) Levels() []logrus.Level { return logrus.AllLevels }

func (journalHook) Fire(e *logrus.Entry) error {
	fields := map[string]string{"SYSLOG_IDENTIFIER": "raynoded"}
	for name, value := range e.Data {
		fields[strings.ToUpper(name)] = fmt.Sprint(value)
	}
	return notify.Journal(priority(e.Level), e.Message+because(e), fields)
}

func priority(l logrus.Level) notify.Priority {
	switch l {
	case logrus.PanicLevel, logrus.FatalLevel:
		return notify.Critical
	case logrus.ErrorLevel:
		return notify.Error
	case logrus.WarnLevel:
		return notify.Warning
	case logrus.InfoLevel:
		return notify.Info
	case logrus.DebugLevel, logrus.TraceLevel:
		return notify.Debug
	}
	return notify.Info
}

// childOutput opens the file that a child writes to: a stream of its own in the journal, with no
// pipe through us, or else our stderr. The output of a `ray start` that succeeds (twenty lines,
// with the advice to call `ray stop`) is not for a terminal.
func childOutput(l role.Log) func(name string) (*os.File, error) {
	return func(name string) (*os.File, error) {
		if toJournal(l) {
			return notify.JournalStream(name, notify.Info)
		}
		if name == daemon.RayOutput {
			return os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		}
		fd, err := unix.FcntlInt(os.Stderr.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		return os.NewFile(uintptr(fd), "stderr"), nil
	}
}

func colours(w io.Writer) bool {
	f, isFile := w.(*os.File)
	return isFile && isTerminal(f) && os.Getenv("NO_COLOR") == ""
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
