package daemon

import (
	"context"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/role"
)

// topic is a part of the status line that comes and goes while the phase stays.
type topic int

const (
	because  topic = iota // why this node waits
	nodes                 // of a head: how many of the cluster's nodes are there
	job                   // of a head: what its job is at
	doubt                 // the head does not answer just now
	degraded              // a program that is not vital has died
	pending               // keys of the role file that wait for Ray's next start
	refused               // the role file that is there is no good
	topics
)

// note is what a guard tells the loop while it goes on. An empty text takes the topic back.
type note struct {
	topic topic
	text  string
}

// note hands a note to the loop.
func (l *loop) note(ctx context.Context, t topic, text string) {
	select {
	case l.noted <- note{t, text}:
	case <-ctx.Done():
	}
}

// take puts a note into the status line. What is new is logged once.
func (l *loop) take(n note) {
	before := l.notes[n.topic]
	if before == n.text {
		return
	}
	l.notes[n.topic] = n.text
	switch entry := l.entry(); {
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
	l.notified(l.systemd.Status(l.status()))
}

// status is the line that `systemctl status` shows: phase, what this node is, and the notes.
func (l *loop) status() string {
	var b strings.Builder
	b.WriteString(string(l.phase))
	b.WriteString(": ")
	b.WriteString(l.who())
	for t, text := range l.notes {
		if text == "" {
			continue
		}
		b.WriteString("; ")
		if topic(t) == degraded {
			b.WriteString("degraded: ")
		}
		b.WriteString(text)
	}
	if l.phase == Waiting {
		b.WriteString(" (" + time.Since(l.entered).Round(time.Second).String() + l.limit() + ")")
	}
	return b.String()
}

// limit is how long the waiting may last, for the status line.
func (l *loop) limit() string {
	r := l.roles.now()
	if r.Standing() || !r.isWorker() {
		return ""
	}
	return " of " + r.Cluster.JoinTimeout.String()
}

// who names the node: its role, its cluster and the head.
func (l *loop) who() string {
	r := l.roles.now()
	if r.Kind == role.Single {
		return "single host: no cluster to set up"
	}
	text := string(r.Kind)
	if r.Cluster.Name != "" {
		text += " of " + r.Cluster.Name
	}
	if head := r.Cluster.Head.String(); r.Kind == role.Head {
		text += " at " + head
	} else if r.Cluster.Head.Host != "" {
		text += ", head " + head
	}
	return text
}
