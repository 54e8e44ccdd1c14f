package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/raynoded/raynoded/daemon"
	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// defaultRole is the role file of raynoded.service.
const defaultRole = "/etc/raynoded/role.toml"

func runCommand() *cobra.Command {
	path := ""
	cmd := &cobra.Command{
		Use:   "run [--role FILE]",
		Short: "Be a node of the cluster, as the role file says",
		Long: "Runs the node until its cluster ends or it is asked to stop: the daemon of raynoded.service, and the same " +
			"in the\n" +
			"foreground. A first Ctrl-C stops it cleanly, a second one at once. The unit starts it again after 69 and 70.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runNode(cmd.Context(), path, cmd.ErrOrStderr())
		},
	}
	roleFlag(cmd, &path, "the role file; FILE.d/*.toml are read over it")
	return cmd
}

// runNode wires the daemon and runs it. What happens on the way and at the end goes to the log.
func runNode(ctx context.Context, path string, stderr io.Writer) error {
	debug.SetTraceback("crash") // a panic ends by SIGABRT: exit code 2 would not restart the unit
	systemd := notify.New()
	_ = systemd.KeepAlive() // first of all: reading the role may hang, and nothing else guards a start
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	files := role.Read(path)
	dirs := host.FindDirs(role.Name(path), os.Getenv)
	r, err := files.Load()
	if err != nil {
		return refused(err, role.Name(path), dirs, stderr)
	}
	log := newLogger(r.Log, stderr)
	err = node(ctx, r, files, dirs, log, systemd, stderr)
	code := exitCode(err)
	end := log.WithFields(logrus.Fields{"exit": code, "role": string(r.Kind), "instance": r.Name})
	if code == reason.ExitOK {
		end.Infof("ended: %v", err)
	} else {
		end.Errorf("ended: %v", err)
	}
	if errors.Is(err, reason.ErrBusy) {
		return reported{err} // the record of the other raynoded stays
	}
	record := host.End{Time: time.Now(), Role: string(r.Kind), Reason: err.Error(), Code: code}
	if err := dirs.Record(record); err != nil {
		log.WithError(err).Debug("cannot record how the run ended")
	}
	return reported{err}
}

// refused records that the role could not be read, and logs it to the journal like every other
// end.
func refused(err error, instance string, dirs host.Dirs, stderr io.Writer) error {
	_ = dirs.RecordRefused(host.End{Time: time.Now(), Reason: err.Error(), Code: exitCode(err)})
	if !toJournal(role.Log{}) {
		return err
	}
	newLogger(
		role.Log{},
		stderr,
	).WithFields(logrus.Fields{"exit": exitCode(err), "instance": instance}).
		Errorf("ended: %v", err)
	return reported{err}
}

func node(
	ctx context.Context, r *role.Role, files role.Files, dirs host.Dirs, log *logrus.Logger,
	systemd *notify.Systemd, stderr io.Writer,
) error {
	tree, err := child.New()
	if err != nil {
		return fmt.Errorf("%w: %w", reason.ErrHost, err)
	}
	log.WithField("version", version).
		Infof("raynoded %s as %s from %s; processes: %s", version, r.Kind, r.Files[0], tree.Cgroup())
	for _, text := range r.Warnings(host.UnitName(r.Name)) {
		log.Warn(text)
	}
	hangups := make(chan struct{}, 1)
	ctx, hurry, stop := signals(ctx, hangups)
	defer stop()
	reaping, reaped := context.WithCancel(context.Background())
	defer reaped()
	go func() { _ = tree.Reap(reaping) }()
	return daemon.New(daemon.Options{
		Role: r, Files: files, Dirs: dirs, Log: log, Relog: func(l role.Log) { setLog(log, l, stderr) },
		Hangups: hangups, Systemd: systemd, Tree: tree, Env: os.Environ(), Output: childOutput(r.Log),
	}).Run(ctx, hurry)
}

// signals returns two contexts: the first SIGTERM, SIGINT or hang-up of the terminal ends ctx, and
// a second one ends hurry. A hang-up where there is no terminal asks for a reload: it is sent to
// hangups, which has room for one; nil = it is dropped.
func signals(parent context.Context, hangups chan<- struct{}) (ctx, hurry context.Context, stop func()) {
	ctx, ask := context.WithCancelCause(parent)
	hurry, press := context.WithCancel(context.WithoutCancel(parent))
	attached := isTerminal(os.Stdin) // a terminal that hangs up is none any more when its signal comes
	came := make(chan os.Signal, 2)
	signal.Notify(came, unix.SIGTERM, unix.SIGINT, unix.SIGHUP)
	// A broken log must not end the node. The signal is not ignored, as Ray would inherit that.
	signal.Notify(
		make(chan os.Signal, 1),
		unix.SIGPIPE,
	)
	done := make(chan struct{})
	go func() {
		act := []func(os.Signal){
			func(s os.Signal) { ask(fmt.Errorf("%w: %s", reason.ErrAsked, s)) },
			func(os.Signal) { press() },
		}
		for len(act) > 0 {
			select {
			case s := <-came:
				if s == unix.SIGHUP && !attached {
					select {
					case hangups <- struct{}{}:
					default: // a reload that has not read the files yet is on its way
					}
					continue
				}
				act[0](s)
				act = act[1:]
			case <-done:
				return
			}
		}
	}()
	return ctx, hurry, func() {
		signal.Stop(came)
		close(done)
		ask(nil)
		press()
	}
}
