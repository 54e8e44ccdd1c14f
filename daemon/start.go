package daemon

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/child"
	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/ray"
)

// failure is a failure of Ray on this host, before it is judged whose fault it was.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

func failed(format string, args ...any) error { return failure{fmt.Errorf(format, args...)} }

const (
	listen = 20 * time.Millisecond // between two questions to the GCS whether it lists this node
	answer = 5 * time.Second       // for one question to the GCS
)

// The names under which children write: what `ray start` prints, and the [job].
const (
	RayOutput = "ray"
	JobOutput = "job"
)

// start starts `ray start`, which puts Ray's processes beside itself and returns.
func (l *life) start() error {
	l.node.Mark = mark()
	_ = os.Remove(l.place.startLog()) // it may be another user's, whose words are not read
	log, err := os.Create(l.place.startLog())
	if err != nil {
		return unfit("the state folder", "%w", err)
	}
	defer log.Close()
	p, err := l.tree.Start(child.Command{
		Path: l.install.Bin, Args: l.node.Args(), Env: append(l.environment.Env(), l.node.Own()...),
		Dir: l.node.TempDir, Stdout: log, Stderr: log,
	})
	if err != nil {
		return unfit("ray.bin", "%w", err)
	}
	l.keep(p)
	l.raylet = make(chan member, 1) // that of a try before may have been seen, and not taken
	l.brood = brood{starter: p, exit: l.tree.Exited(p), deaths: make(chan death)}
	return nil
}

// tend looks after Ray's processes: it records what `ray start` starts, and returns when that or a
// vital one failed. Any other death makes the node degraded.
func (l *life) tend(ctx context.Context) error {
	late := time.After(time.Until(l.deadline))
	l.mourn(ctx) // whom the end of the phase before may have left unsaid
	for {
		var next <-chan time.Time
		if l.brood.exit != nil {
			l.record(l.brood.starter.PID)
			next = time.After(l.brood.pace())
		}
		select {
		case <-next:
		case e := <-l.brood.exit:
			l.record(os.Getpid())
			l.brood.exit = nil
			if err := l.started(e); err != nil {
				return err
			}
		case d := <-l.brood.deaths:
			if d.Vital {
				l.brood.ended, l.brood.headless = true, d.Name == "gcs_server"
				return d.failure()
			}
			l.brood.dead = append(l.brood.dead, d.String())
			l.mourn(ctx)
		case <-late:
			if l.brood.exit != nil {
				return failed(
					"`ray start` has not returned within ray.start_timeout (%s)%s", l.role.Ray.StartTimeout,
					quote(ray.OutputWords(l.place.startLog())),
				)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// mourn tells which programs have died that are not vital.
func (l *life) mourn(ctx context.Context) {
	l.tell(ctx, degraded, strings.Join(l.brood.dead, ", "))
}

// record takes the direct children of a process into the brood and has their deaths reported: those
// of `ray start` while it lives, and once it has ended our own, which they have become.
func (l *life) record(parent int) {
	children, err := l.tree.Children(parent)
	if err != nil {
		return // it has just ended; its exit is on its way
	}
	for _, p := range children {
		m, isNew := l.brood.take(p)
		if !isNew {
			continue
		}
		l.keep(m.Process)
		_, _ = l.claim(m.Program) // also of a start that comes to nothing; tidy complains if it cannot be done
		exited, deaths := l.tree.Exited(m.Process), l.brood.deaths
		go func() {
			e, alive := <-exited
			if !alive {
				return
			}
			select {
			case deaths <- death{m, e}:
			case <-l.over:
			}
		}()
		if m.Name == "raylet" {
			l.raylet <- m
		}
	}
}

// started looks at how `ray start` ended, and hands what it printed on.
func (l *life) started(e child.Exit) error {
	l.passOn()
	log := l.place.startLog()
	switch {
	case e.Known && e.Code == 0 && e.Signal == 0:
		if _, found := l.brood.find("raylet"); !found {
			return failed("`ray start` returned, but started no raylet")
		}
		return nil
	case ray.VersionsDiffer(log):
		return fmt.Errorf("%w: %s", ErrMismatch, "its Ray or Python version differs from this host's, says `ray start`")
	default:
		return failed("`ray start` ended with %s%s (all it said is in %s)", e, quote(ray.OutputWords(log)), log)
	}
}

// passOn gives the output of `ray start` to the journal or the terminal under its own name.
func (l *life) passOn() {
	text, err := os.ReadFile(l.place.startLog())
	if err != nil {
		return
	}
	out, err := l.output(RayOutput)
	if err != nil {
		l.log.WithError(err).Warn("cannot pass on what `ray start` printed")
		return
	}
	defer out.Close()
	_, _ = out.Write(text)
}

// arrive returns nil once the GCS lists this very start of this node as alive.
func (l *life) arrive(ctx context.Context) error {
	ctx, cancel := context.WithDeadlineCause(ctx, l.deadline,
		failed("the GCS does not list this node within ray.start_timeout (%s)", l.role.Ray.StartTimeout))
	defer cancel()
	select {
	case m := <-l.raylet:
		l.program, l.nodeID = m.Program, m.NodeID
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	for {
		conn, err := l.dial(ctx)
		if err == nil {
			err = l.listed(ctx, conn)
			_ = conn.Close()
		}
		if err == nil {
			return nil
		}
		if gcs.FaultOf(err) == gcs.Unauthorized {
			return fmt.Errorf("%w: %w", ErrToken, err)
		}
		if err := pause(ctx, listen); err != nil {
			return err
		}
	}
}

// listed asks on one connection until the node is there or the connection breaks.
func (l *life) listed(ctx context.Context, conn *gcs.Conn) error {
	for {
		alive, err := l.alive(ctx, conn)
		if err != nil {
			return err
		}
		if alive {
			return l.identify(ctx, conn)
		}
		if err := pause(ctx, listen); err != nil {
			return err
		}
	}
}

// identify remembers the cluster that a head has just made. A worker knows the one it asked.
func (l *life) identify(ctx context.Context, conn *gcs.Conn) (err error) {
	if l.node.Head {
		l.cluster, err = conn.ClusterID(ctx)
	}
	return err
}

// alive asks whether the GCS has this start of this node. From Ray 2.49 on one call asks for one
// node; before, the whole table is read, and before 2.40 the raylet's id is not on its command
// line: the mark tells this start from others.
func (l *life) alive(ctx context.Context, conn *gcs.Conn) (bool, error) {
	if l.nodeID != "" && ray.AtLeast(l.version, 2, 49) {
		a, err := conn.CheckAlive(ctx, l.nodeID)
		return err == nil && len(a.Nodes) == 1 && a.Nodes[0], err
	}
	me, err := l.me(ctx, conn)
	if err == nil && me.Alive {
		l.nodeID = me.ID
	}
	return me.Alive, err
}

// me returns this node as the GCS lists it; the zero Node if it does not.
func (l *life) me(ctx context.Context, conn *gcs.Conn) (gcs.Node, error) {
	all, err := conn.Nodes(ctx)
	for _, n := range all {
		if n.ID == l.nodeID || l.nodeID == "" && n.InstanceID == l.node.Mark {
			return n, nil
		}
	}
	return gcs.Node{}, err
}

func (l *life) dial(ctx context.Context) (*gcs.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return gcs.Dial(ctx, l.asked())
}

// asked is the head with the patience of the role in force.
func (l *life) asked() gcs.Head {
	head := l.head
	head.Silent = l.now().Watchdog.Silent.Duration
	return head
}

// mark is new for every start.
func mark() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b)
	return "raynoded-" + hex.EncodeToString(b)
}

func quote(words string) string {
	if words == "" {
		return ""
	}
	return ": " + words
}
