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

// Kept is where a persistent head's state lies.
type Kept struct {
	role *role.Role
	dirs Dirs
}

// FindKept returns where the head of a role keeps its state. Without persistent_head it is what was
// kept before, if anything.
func FindKept(r *role.Role, dirs Dirs) (Kept, error) {
	if r.Kind == role.Worker || r.Kind == role.Single {
		return Kept{}, fmt.Errorf("%w: a %s keeps no state of a cluster: ask on the head", reason.ErrRole, r.Kind)
	}
	kept, units := Kept{r, dirs}, Kept{r, UnitDirs(r.Name)}
	if kept.None() && !units.None() {
		return units, nil
	}
	return kept, nil
}

func (k Kept) inRedis() bool { return k.role.Cluster.Redis != (role.Address{}) }

// String names the place.
func (k Kept) String() string {
	if k.inRedis() {
		return "Redis " + k.role.Cluster.Redis.String()
	}
	return k.dirs.store()
}

// None says that there is nothing to forget. A Redis is not asked.
func (k Kept) None() bool {
	_, err := os.Stat(k.dirs.store())
	return !k.inRedis() && errors.Is(err, os.ErrNotExist)
}

// Forget deletes the state, so that the head's next start makes a new cluster. It refuses while a
// raynoded runs the role.
func (k Kept) Forget(ctx context.Context) error {
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
