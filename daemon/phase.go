package daemon

import (
	"errors"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/reason"
)

// Phase is where a node is in its life, and the first word of systemd's STATUS=.
type Phase string

// The phases, in the order of a life. A standing worker goes from Stopping back to Waiting.
const (
	Waiting  Phase = "waiting"  // for the head, or for what is wrong to be mended
	Starting Phase = "starting" // Ray
	Running  Phase = "running"  // listed alive by the GCS; of a single host: nothing to set up
	Draining Phase = "draining" // announced to the GCS: work may end, none comes
	Stopping Phase = "stopping"
)

// enter is the one place where the phase changes: a log line, and a datagram to systemd.
func (l *loop) enter(p Phase, why error) {
	from := l.phase
	l.phase, l.entered = p, time.Now()
	kept := [topics]string{pending: l.notes[pending], refused: l.notes[refused]}
	if p == Running || p == Draining { // what died while Ray started, or ran, is not back
		kept[degraded] = l.notes[degraded]
	}
	l.notes = kept
	if why != nil {
		l.notes[because] = why.Error()
	}
	entry := l.entry().WithField("from", string(from))
	if why != nil {
		entry = entry.WithField("reason", why.Error())
	}
	entry.Log(l.level(why), string(p))
	l.notifyPhase(why)
}

// enterWaiting is for a node before Ray starts: while it finds out what it is, before its first
// life, between two tries at one.
func (l *loop) enterWaiting(why error) {
	if l.phase != Waiting {
		l.enter(Waiting, why)
		return
	}
	if why != nil {
		l.take(note{because, why.Error()})
	}
	l.notifyPhase(why)
}

// end is the end of a node that has nothing to stop.
func (l *loop) end(why error) error {
	l.enter(Stopping, why)
	return why
}

// notifyPhase tells systemd what the phase means to it.
func (l *loop) notifyPhase(why error) {
	status := l.status()
	var err error
	switch {
	case l.phase == Stopping && errors.Is(why, reason.ErrAsked) && !l.ready:
		l.leaving = true
		err = l.systemd.ReadyStopping(status)
	case (l.phase == Draining || l.phase == Stopping) && !l.goesOn(why):
		l.leaving = true
		err = l.systemd.Stopping(status)
	case !l.ready && l.usable():
		l.ready = true
		err = l.systemd.Ready(status)
	default:
		err = l.systemd.Status(status)
	}
	l.notified(err)
	l.beatOnce(true)
}

// usable says whether systemd may call the unit started: the node is in its cluster, or, of a
// standing worker, waits for it.
func (l *loop) usable() bool {
	r := l.roles.now()
	return l.phase == Running || l.phase == Waiting && r.Standing() && r.isWorker()
}

func (l *loop) entry() *logrus.Entry {
	r := l.roles.now()
	fields := logrus.Fields{"phase": string(l.phase), "role": string(r.Kind), "instance": r.Name}
	if r.Cluster.Name != "" {
		fields["cluster"] = r.Cluster.Name
	}
	if r.Cluster.Head.Host != "" {
		fields["head"] = r.Cluster.Head.String()
	}
	return l.log.WithFields(fields)
}

// level is how loud the reason for a phase is: an end that is a fault is an error.
func (l *loop) level(why error) logrus.Level {
	switch {
	case reason.Of(why).InOrder:
		return logrus.InfoLevel
	case l.phase == Waiting:
		return logrus.WarnLevel
	default:
		return logrus.ErrorLevel
	}
}
