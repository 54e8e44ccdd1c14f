package daemon

import (
	"context"
	"time"

	"github.com/raynoded/raynoded/daemon/cluster"
	"github.com/raynoded/raynoded/daemon/role"
)

// Between two looks at the cluster's nodes: until it is complete, and afterwards.
const (
	countInterval   = time.Second
	recountInterval = 10 * time.Second
)

// census tells how many of the cluster's nodes are there. It never ends of itself.
func (l *life) census(ctx context.Context) error {
	if l.role().Kind != role.Head {
		return forever(ctx)
	}
	for {
		every, r := countInterval, l.roles.now()
		if all, err := l.member.Nodes(ctx); err == nil {
			c := cluster.Count(all)
			l.note(ctx, nodes, c.OutOf(r.Cluster.Nodes, 0))
			if c.Nodes >= r.Cluster.Nodes {
				every = recountInterval
			}
		}
		if err := r.pause(ctx, every); err != nil {
			return err
		}
	}
}
