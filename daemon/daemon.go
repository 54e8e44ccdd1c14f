package daemon

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/notify"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
	"github.com/raynoded/raynoded/daemon/watchdog"
)

// Options are what a daemon needs from its process.
type Options struct {
	Role    *role.Role // as Files say
	Files   role.Files
	Place   Place
	Log     logrus.FieldLogger
	Relog   func(role.Log)  // has Log follow a changed role; nil: it does not
	Hangups <-chan struct{} // each asks for a reload
	Systemd *notify.Systemd
	Tree    *child.Tree                         // every process of this daemon's
	Env     []string                            // of this process; Ray's is made from it
	Output  func(name string) (*os.File, error) // where a child called name writes; the daemon closes it
}

// Daemon is one node of one role, one life after another. Its state belongs to the goroutine that
// is in Run.
type Daemon struct {
	path    string                  // of the role file
	force   atomic.Pointer[inForce] // the role that counts: see now and use
	file    *role.Role              // the last good reading of the files, undecided
	first   sources                 // what the first one came from
	decided *role.Role              // the file when what this host is was decided; nil: it has not been
	running *role.Role              // what Ray was started with; nil: none runs
	prints  map[string]string       // of the named files when this life began
	place   Place
	log     logrus.FieldLogger
	systemd *notify.Systemd
	tree    *child.Tree
	env     []string
	output  func(name string) (*os.File, error)

	relog   func(role.Log)
	hangups <-chan struct{}
	warmed  ray.Install // whose files were read beforehand

	news      chan news
	proposals chan proposal
	renewal   chan struct{} // has room for one
	beat      *time.Ticker
	phase     Phase
	entered   time.Time      // when the phase began
	notes     [topics]string // of the status line
	ready     bool           // READY=1 has gone out
	leaving   bool           // STOPPING=1 has gone out: no other life follows, whatever the role file says by then
}

// New makes a daemon. Nothing happens before Run.
func New(o Options) *Daemon {
	d := &Daemon{
		path: o.Files.Path(), file: o.Role, place: o.Place, log: o.Log, systemd: o.Systemd, tree: o.Tree, env: o.Env,
		output: o.Output,
		relog:  o.Relog, hangups: o.Hangups,
		news: make(chan news), proposals: make(chan proposal), renewal: make(chan struct{}, 1),
	}
	if d.relog == nil {
		d.relog = func(role.Log) {}
	}
	d.use(o.Role)
	d.first = sources{files: o.Files, named: fingerprints(o.Role)}
	return d
}

// farewell is how long the reading of files may hold up the end of a node.
const farewell = 5 * time.Second

// again is how long a standing node waits before it tries anew what was wrong.
const again = 10 * time.Second

// Run lives one life after another until there is a reason to end, which it returns; it is never
// nil. A per-job node has one life. The first end of ctx asks it to stop; the end of hurry makes it
// skip what is left of the grace.
func (d *Daemon) Run(ctx, hurry context.Context) error {
	every := d.systemd.KeepAliveEvery()
	if every <= 0 || every > beat {
		every = beat
	}
	d.beat = time.NewTicker(every)
	defer d.beat.Stop()

	if err := d.place.make(); err != nil {
		return d.end(err)
	}
	lock, err := d.place.lock()
	if err != nil {
		return d.end(err)
	}
	defer lock.Close()
	if err := d.until(ctx, d.sweep); err != nil {
		return d.end(err)
	}
	heeding, stop := context.WithCancel(context.WithoutCancel(ctx))
	heeded := make(chan struct{})
	go func() {
		defer close(heeded)
		d.heed(heeding)
	}()
	defer func() {
		stop()
		select {
		case <-heeded:
		case <-time.After(farewell): // it hangs in a file, which a network file system may do for ever
		}
	}()
	return d.lives(ctx, hurry)
}

func (d *Daemon) lives(ctx, hurry context.Context) error {
	for {
		err := d.settle(ctx)
		if errors.Is(err, errAnew) {
			continue
		}
		if err != nil {
			return d.end(err)
		}
		if ctx.Err() != nil {
			return d.end(context.Cause(ctx))
		}
		why := d.life(ctx, hurry)
		if !d.goesOn(why) {
			return why
		}
		if errors.Is(why, errAnew) {
			continue
		}
		d.wait(why)
		if gone(why) {
			continue
		}
		err = d.until(ctx, func(ctx context.Context) error { return pause(ctx, again) }, d.anew)
		if err != nil && !errors.Is(err, errAnew) {
			return d.end(err)
		}
	}
}

// wait is where a node is before Ray starts: deciding what it is, before its first life, between
// two tries at one.
func (d *Daemon) wait(why error) {
	if d.phase != Waiting {
		d.enter(Waiting, why)
		return
	}
	if why != nil {
		d.hear(news{reason, why.Error()})
	}
	d.notifyPhase(why)
}

// gone says whether a life ended because there is no head any more: the next one may come at any
// moment.
func gone(why error) bool {
	return errors.Is(why, watchdog.ErrHeadLost) || errors.Is(why, ErrUnreachable)
}

// goesOn says whether a life that ended so is followed by another: one under a changed role file
// always is, that of a standing node unless it was asked to stop or its own Ray failed.
func (d *Daemon) goesOn(why error) bool {
	var unfinished UnfinishedError
	if d.leaving || errors.As(why, &unfinished) {
		return false
	}
	if errors.Is(why, errAnew) {
		return true
	}
	return d.now().Standing() && (d.now().Kind == role.Worker && gone(why) ||
		errors.Is(why, ErrMismatch) || errors.Is(why, ErrToken) || errors.Is(why, ErrHost))
}

// inOrder says whether an end is none of anybody's faults.
func inOrder(why error) bool {
	var job *JobEnd
	if errors.As(why, &job) {
		return job.Code == 0
	}
	return errors.Is(why, ErrAsked) || errors.Is(why, watchdog.ErrHeadLost) || errors.Is(why, ErrDrained) ||
		errors.Is(why, errAnew)
}

// end is the end of a node that has nothing to stop.
func (d *Daemon) end(why error) error {
	d.enter(Stopping, why)
	return why
}

// run runs a short program of ours that the reaper leaves alone.
func (d *Daemon) run(ctx context.Context, cmd *exec.Cmd) ([]byte, error) {
	cmd.Env = notify.ChildEnv(d.env)
	return d.tree.Output(ctx, cmd)
}
