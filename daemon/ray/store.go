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

// KeepsState says whether the GCS of this Ray can keep its state without a Redis: in RocksDB, from
// 2.57 on.
func (i Install) KeepsState() bool { return i.AtLeast(2, 57) }

// store tells the GCS of a persistent head where to keep its state (ray/_private/node.py,
// check_persisted_session_name).
func (n Node) store() []string {
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

// namespace keeps clusters apart that share a Redis: a head comes back at the same address, and
// nobody else has it.
func namespace(r *role.Role) string { return r.Cluster.Head.String() }

// forget is Ray's own way to delete what one cluster keeps in a Redis.
const forget = `import sys
from ray._private.gcs_utils import cleanup_redis_storage
host, port, namespace = sys.argv[1:]
sys.exit(0 if cleanup_redis_storage(host, int(port), "", False, namespace) else "Redis deleted nothing")`

// redisLimit is how long a Redis may take to accept a connection. Of one that is not there Ray's
// own words are a stack trace.
const redisLimit = 5 * time.Second

// ForgetRedis deletes what the cluster of a role keeps in its Redis, by the Python of the role's
// Ray.
func ForgetRedis(ctx context.Context, r *role.Role) error {
	python := interpreter(r.Ray.Bin)
	if python == "" {
		return fmt.Errorf("%w: %s: it names no Python that could ask the Redis", ErrNotRay, r.Ray.Bin)
	}
	redis := r.Cluster.Redis
	conn, err := (&net.Dialer{Timeout: redisLimit}).DialContext(ctx, "tcp", redis.String())
	if err != nil {
		return fmt.Errorf("cannot reach the Redis: %w", err)
	}
	_ = conn.Close()
	cmd := exec.CommandContext(ctx, python, "-c", forget, redis.Host, strconv.Itoa(redis.Port), namespace(r))
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("cannot delete the state in Redis %s: %w: %s", redis, err, lines[len(lines)-1])
	}
	return nil
}
