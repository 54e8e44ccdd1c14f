package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/environ"
	"github.com/raynoded/raynoded/daemon/gcs"
	"github.com/raynoded/raynoded/daemon/host"
	"github.com/raynoded/raynoded/daemon/pause"
	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
)

// joinInterval is between two questions to a head that is not there, give or take half of it: a
// fleet does not knock in step.
const joinInterval = time.Second

// headStartsInterval is between two questions to a head that starts: each is for the list of its
// nodes, which is short then.
const headStartsInterval = 200 * time.Millisecond

// askPythonTimeout is how long a Python may take to start and say its versions: the first one on a
// host may come over the network.
const askPythonTimeout = 30 * time.Second

// join finds the head: of a head itself, of a worker by asking its GCS until it answers as one this
// node may join. It asks without Python.
func (l *life) join(ctx context.Context) error {
	if l.node.Head {
		return l.prepareHead(ctx)
	}
	var last error // the answer to a question that join_timeout cut short says less than the one before
	for {
		limited, cancel := l.joinLimit(ctx)
		asking := limited
		if last == nil {
			asking = ctx // once in full, although the time may have gone before it came to that
		}
		err := l.ask(asking)
		if err == nil || reason.Of(err).Settled {
			cancel()
			return err
		}
		if ctx.Err() != nil { // the time may have gone before
			cancel()
			return context.Cause(ctx)
		}
		if asking.Err() == nil {
			l.note(asking, because, err.Error())
			last = err
		}
		l.warmUp()
		over := l.pauseWithin(limited, l.untilNext(err))
		cancel()
		if over != nil {
			return l.unreachable(over, last)
		}
	}
}

// prepareHead prepares a head's own cluster.
func (l *life) prepareHead(ctx context.Context) error {
	ip, err := host.NodeIP(ctx, l.role())
	if err != nil {
		return err
	}
	l.node.IP, l.node.Address = ip, host.HeadAddress(ip, l.role().Cluster.Head)
	l.member.Head.Address, l.member.Version = l.node.Address, l.install.Ray
	return host.CheckPorts(l.node)
}

// ask asks the head once, and compares what it is with what this node may join. The address that
// answered is the one that Ray is given and the watchdog watches.
func (l *life) ask(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, cluster.AskTimeout)
	defer cancel()
	conn, err := gcs.Dial(limited, gcs.Head{Address: l.role().Cluster.Head.String(), Token: l.member.Head.Token})
	if err != nil {
		return err
	}
	defer conn.Close()
	theirs, err := l.compare(limited, conn)
	if err != nil {
		return err
	}
	if err := l.fits(ctx, theirs); err != nil {
		return err
	}
	if err := l.headIsUp(ctx, conn); err != nil {
		return err
	}
	l.member.Head.Address = conn.RemoteAddr()
	l.node.Address = l.member.Head.Address
	l.node.IP, err = host.WorkerIP(l.role(), l.node.Address)
	if err != nil {
		return err
	}
	return host.CheckPorts(l.node)
}

// errHeadStarts says that a head's GCS is there, but not yet the head itself.
var errHeadStarts = errors.New("the head's own node is not in the cluster yet")

// headIsUp returns an error until the GCS lists the head's own node as alive. Before, the head may
// have to start again (comeUp), as another cluster.
func (l *life) headIsUp(ctx context.Context, conn *gcs.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, cluster.AskTimeout)
	defer cancel()
	all, err := conn.Nodes(ctx)
	if err == nil && !slices.ContainsFunc(all, func(n gcs.Node) bool { return n.Head && n.Alive }) {
		return errHeadStarts
	}
	return err
}

// untilNext is how long to wait after an answer. A head that starts will be there in a second or
// two: it is asked more often, by a large fleet less so.
func (l *life) untilNext(err error) time.Duration {
	if errors.Is(err, errHeadStarts) {
		return max(headStartsInterval, time.Duration(l.roles.now().Cluster.Nodes)*time.Millisecond)
	}
	return joinInterval/2 + rand.N(joinInterval)
}

// compare asks the head for its cluster id, which it compares with the one that is pinned, and for
// its versions.
func (l *life) compare(ctx context.Context, conn *gcs.Conn) (gcs.Versions, error) {
	alive, err := conn.CheckAlive(ctx)
	if gcs.FaultOf(err) == gcs.Unauthorized {
		return gcs.Versions{}, fmt.Errorf(
			"%w: %w: auth.mode and the token must be those of the head (%s)", reason.ErrToken, err, l.role().Cluster.Head,
		)
	}
	if err != nil {
		return gcs.Versions{}, err
	}
	id, err := conn.ClusterID(ctx)
	if err != nil {
		return gcs.Versions{}, err
	}
	if pin := l.role().Cluster.ID; pin != "" && pin != id {
		return gcs.Versions{}, fmt.Errorf(
			"%w: cluster.id: pinned to %s, but %s is %s", reason.ErrMismatch, pin, l.role().Cluster.Head, id,
		)
	}
	l.member.ID, l.member.Version = id, alive.RayVersion
	theirs, err := conn.Versions(ctx) // an entry that the head writes a moment after its GCS is up
	theirs.Ray = alive.RayVersion
	return theirs, err
}

// fits returns an error if the head's versions are not this host's. Those known here may be older
// than the program, which is asked before a head is refused. One that cannot say them now (the host
// is short of memory, its files are far away) says nothing of the head.
func (l *life) fits(ctx context.Context, theirs gcs.Versions) error {
	if l.matches(theirs) == nil {
		return nil
	}
	ctx, cancel := pause.Within(ctx, askPythonTimeout)
	defer cancel()
	install, err := ray.Ask(ctx, l.install.Bin, l.processes.output)
	if err != nil {
		return fmt.Errorf("cannot ask %s for its versions: %w", l.install.Bin, err)
	}
	l.install = install
	return l.matches(theirs)
}

// matches compares with what is known here. A version that is not known is no reason.
func (l *life) matches(theirs gcs.Versions) error {
	if theirs.Ray != "" && theirs.Ray != l.install.Ray {
		return l.differ("Ray", theirs.Ray, l.install.Ray)
	}
	py, own := theirs.Python, l.install.Python
	level, _ := environ.Lookup(l.environment.Env(), "RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL")
	if level == "minor" { // ray/_private/utils.py
		py, own = minor(py), minor(own)
	}
	if py != "" && own != "" && py != own {
		return l.differ("Python", theirs.Python, l.install.Python)
	}
	return nil
}

func (l *life) differ(what, theirs, ours string) error {
	return fmt.Errorf(
		"%w: ray.bin: %s has %s %s, the head %s has %s: install the same on both",
		reason.ErrMismatch, l.install.Bin, what, ours, l.role().Cluster.Head, theirs,
	)
}

// minor is a version without its patch level.
func minor(version string) string {
	if i := strings.LastIndexByte(version, '.'); i >= 0 {
		return version[:i]
	}
	return version
}
