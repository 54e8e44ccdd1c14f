package host

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/reason"
	"github.com/raynoded/raynoded/daemon/role"
)

// HeadState is the place where a persistent head keeps its state.
type HeadState struct {
	role *role.Role
	dirs Dirs
}

// FindHeadState returns where the head of a role keeps its state. If the role has no
// persistent_head, it is what the head kept earlier, if anything.
func FindHeadState(r *role.Role, dirs Dirs) (HeadState, error) {
	if r.Kind == role.Worker || r.Kind == role.Single {
		return HeadState{}, fmt.Errorf("%w: a %s keeps no state of a cluster: ask on the head", reason.ErrRole, r.Kind)
	}
	kept, units := HeadState{r, dirs}, HeadState{r, UnitDirs(r.Name)}
	if kept.Empty() && !units.Empty() {
		return units, nil
	}
	return kept, nil
}

func (k HeadState) inRedis() bool { return k.role.Cluster.Redis != (role.Address{}) }

// String names the place.
func (k HeadState) String() string {
	if k.inRedis() {
		return "Redis " + k.role.Cluster.Redis.String()
	}
	return k.dirs.store()
}

// Empty says that there is nothing to forget. It does not ask a Redis.
func (k HeadState) Empty() bool {
	_, err := os.Stat(k.dirs.store())
	return !k.inRedis() && errors.Is(err, os.ErrNotExist)
}

// Forget deletes the state, so that the head's next start makes a new cluster. It fails while a
// raynoded runs the role.
func (k HeadState) Forget(ctx context.Context) error {
	if _, err := os.Stat(k.dirs.State); err == nil {
		if err := k.dirs.trust(k.dirs.State); err != nil {
			return reason.Unfit("the state folder", "%w", err)
		}
		lock, err := k.dirs.Lock()
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	if k.inRedis() {
		if err := ray.ForgetRedis(ctx, k.role); err != nil {
			return reason.Unfit("cluster.redis", "%w", err)
		}
		return nil
	}
	if err := os.RemoveAll(k.dirs.store()); err != nil {
		return reason.Unfit("the state folder", "%w", err)
	}
	return nil
}
