package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/raynoded/raynoded/daemon/ray"
	"github.com/raynoded/raynoded/daemon/role"
)

// Kept is where a persistent head's state lies.
type Kept struct {
	role  *role.Role
	place Place
}

// FindKept returns where the head of a role keeps its state. Without persistent_head it is what was
// kept before, if anything.
func FindKept(r *role.Role, place Place) (Kept, error) {
	if r.Kind == role.Worker || r.Kind == role.Single {
		return Kept{}, fmt.Errorf("%w: a %s keeps no state of a cluster: ask on the head", ErrRole, r.Kind)
	}
	kept, units := Kept{r, place}, Kept{r, UnitPlace(r.Name)}
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
	return k.place.storeDir()
}

// None says that there is nothing to forget. A Redis is not asked.
func (k Kept) None() bool {
	_, err := os.Stat(k.place.storeDir())
	return !k.inRedis() && errors.Is(err, os.ErrNotExist)
}

// Forget deletes the state, so that the head's next start makes a new cluster. It refuses while a
// raynoded runs the role.
func (k Kept) Forget(ctx context.Context) error {
	if _, err := os.Stat(k.place.State); err == nil {
		if err := k.place.trust(k.place.State); err != nil {
			return unfit("the state folder", "%w", err)
		}
		lock, err := k.place.lock()
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	if k.inRedis() {
		if err := ray.ForgetRedis(ctx, k.role); err != nil {
			return unfit("cluster.redis", "%w", err)
		}
		return nil
	}
	if err := os.RemoveAll(k.place.storeDir()); err != nil {
		return unfit("the state folder", "%w", err)
	}
	return nil
}
