package daemon

import (
	"errors"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/raynoded/raynoded/daemon/role"
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

// topic is a part of the status line that comes and goes while the phase stays.
type topic int

const (
	reason   topic = iota // why this node waits
	nodes                 // of a head: how many of the cluster's nodes are there
	job                   // of a head: what its job is at
	doubt                 // the head does not answer just now
	degraded              // a program that is not vital has died
	pending               // keys of the role file that wait for Ray's next start
	refused               // the role file that is there is no good
	topics
)

// news is what a guard tells the loop while it goes on. An empty text takes the topic back.
type news struct {
	topic topic
	text  string
}

// enter is the one place where the phase changes: a log line, and a datagram to systemd.
func (d *Daemon) enter(p Phase, why error) {
	from := d.phase
	d.phase, d.entered = p, time.Now()
	kept := [topics]string{pending: d.notes[pending], refused: d.notes[refused]}
	if p == Running || p == Draining { // what died while Ray started, or ran, is not back
		kept[degraded] = d.notes[degraded]
	}
	d.notes = kept
	if why != nil {
		d.notes[reason] = why.Error()
	}
	entry := d.entry().WithField("from", string(from))
	if why != nil {
		entry = entry.WithField("reason", why.Error())
	}
	entry.Log(d.level(why), string(p))
	d.notifyPhase(why)
}

// notifyPhase tells systemd what the phase means to it.
func (d *Daemon) notifyPhase(why error) {
	status := d.status()
	var err error
	switch {
	case d.phase == Stopping && errors.Is(why, ErrAsked) && !d.ready:
		d.leaving = true
		err = d.systemd.ReadyStopping(status)
	case (d.phase == Draining || d.phase == Stopping) && !d.goesOn(why):
		d.leaving = true
		err = d.systemd.Stopping(status)
	case !d.ready && d.usable():
		d.ready = true
		err = d.systemd.Ready(status)
	default:
		err = d.systemd.Status(status)
	}
	d.told(err)
	d.beatOnce(true)
}

// usable says whether systemd may call the unit started: the node is in its cluster, or, of a
// standing worker, waits for it.
func (d *Daemon) usable() bool {
	return d.phase == Running || d.phase == Waiting && d.now().Standing() && d.now().Kind == role.Worker
}

// hear takes a guard's news into the status line. What is new is logged once.
func (d *Daemon) hear(n news) {
	if d.notes[n.topic] == n.text {
		return
	}
	before := d.notes[n.topic]
	d.notes[n.topic] = n.text
	switch entry := d.entry(); {
	case n.text == "" && n.topic == doubt:
		entry.Info("the head answers again")
	case n.text == "" && n.topic == refused:
		entry.Info("the role file is good again")
	case n.text == "":
	case n.topic == pending, n.topic == refused:
		entry.Warn(n.text)
	case n.topic == degraded:
		entry.Error("degraded: " + n.text)
	case n.topic == doubt:
		if before == "" {
			entry.Warn(n.text)
		}
	default:
		entry.Info(n.text)
	}
	d.told(d.systemd.Status(d.status()))
}

// status is the line that `systemctl status` shows: phase, what this node is, and the notes.
func (d *Daemon) status() string {
	var b strings.Builder
	b.WriteString(string(d.phase))
	b.WriteString(": ")
	b.WriteString(d.who())
	for t, text := range d.notes {
		if text == "" {
			continue
		}
		b.WriteString("; ")
		if topic(t) == degraded {
			b.WriteString("degraded: ")
		}
		b.WriteString(text)
	}
	if d.phase == Waiting {
		b.WriteString(" (" + since(d.entered).String() + d.limit() + ")")
	}
	return b.String()
}

// limit is how long the waiting may last, for the status line.
func (d *Daemon) limit() string {
	if d.now().Standing() || d.now().Kind != role.Worker {
		return ""
	}
	return " of " + d.now().Cluster.JoinTimeout.String()
}

// who names the node: its role, its cluster and the head.
func (d *Daemon) who() string {
	if d.now().Kind == role.Single {
		return "single host: no cluster to set up"
	}
	text := string(d.now().Kind)
	if d.now().Cluster.Name != "" {
		text += " of " + d.now().Cluster.Name
	}
	if head := d.now().Cluster.Head.String(); d.now().Kind == role.Head {
		text += " at " + head
	} else if d.now().Cluster.Head.Host != "" {
		text += ", head " + head
	}
	return text
}

func (d *Daemon) entry() *logrus.Entry {
	fields := logrus.Fields{"phase": string(d.phase), "role": string(d.now().Kind), "instance": d.now().Name}
	if d.now().Cluster.Name != "" {
		fields["cluster"] = d.now().Cluster.Name
	}
	if d.now().Cluster.Head.Host != "" {
		fields["head"] = d.now().Cluster.Head.String()
	}
	return d.log.WithFields(fields)
}

// level is how loud the reason for a phase is: an end that is a fault is an error.
func (d *Daemon) level(why error) logrus.Level {
	switch {
	case why == nil, inOrder(why):
		return logrus.InfoLevel
	case d.phase == Waiting:
		return logrus.WarnLevel
	default:
		return logrus.ErrorLevel
	}
}
