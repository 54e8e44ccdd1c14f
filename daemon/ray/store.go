package ray

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/raynoded/raynoded/daemon/role"
)

// KeepsState says whether the GCS of this Ray can keep its state without a Redis: from 2.57 on it
// can, in RocksDB.
func (i Install) KeepsState() bool { return i.AtLeast(2, 57) }

// store tells the GCS of a persistent head where to keep its state (ray/_private/node.py,
// check_persisted_session_name).
func (n Node) storeEnv() []string {
	c := n.Role.Cluster
	switch {
	case !n.Head || !c.PersistentHead:
		return nil
	case c.Redis != (role.Address{}):
		return []string{"RAY_REDIS_ADDRESS=" + c.Redis.String(), "RAY_external_storage_namespace=" + namespace(n.Role)}
	default:
		return []string{"RAY_gcs_storage=rocksdb", "RAY_gcs_storage_path=" + n.StoreDir}
	}
}

// namespace keeps clusters that share a Redis apart. It is the head's address: a head comes back
// at the same address, and no other cluster has that address.
func namespace(r *role.Role) string { return r.Cluster.Head.String() }

// forgetScript deletes what one cluster keeps in a Redis, in Ray's own way.
const forgetScript = `import sys
from ray._private.gcs_utils import cleanup_redis_storage
host, port, namespace = sys.argv[1:]
sys.exit(0 if cleanup_redis_storage(host, int(port), "", False, namespace) else "Redis deleted nothing")`

// redisTimeout is how long a Redis may take to accept a connection. Ray itself would answer with a
// stack trace if there is no Redis.
const redisTimeout = 5 * time.Second

// ForgetRedis deletes what a role's cluster keeps in its Redis. It runs the Python of the role's
// Ray.
func ForgetRedis(ctx context.Context, r *role.Role) error {
	python := interpreter(r.Ray.Bin)
	if python == "" {
		return fmt.Errorf("%w: %s: its first line names no Python, which is needed to ask the Redis", ErrNotRay, r.Ray.Bin)
	}
	redis := r.Cluster.Redis
	conn, err := (&net.Dialer{Timeout: redisTimeout}).DialContext(ctx, "tcp", redis.String())
	if err != nil {
		return fmt.Errorf("cannot reach the Redis: %w", err)
	}
	_ = conn.Close()
	cmd := exec.CommandContext(ctx, python, "-c", forgetScript, redis.Host, strconv.Itoa(redis.Port), namespace(r))
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("cannot delete the state in Redis %s: %w: %s", redis, err, lines[len(lines)-1])
	}
	return nil
}
