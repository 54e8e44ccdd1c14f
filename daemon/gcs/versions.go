package gcs

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/raynoded/raynoded/daemon/gcs/gcspb"
)

// Versions are those of the head, such as "2.60.0" and "3.11.7". Ray refuses a node with other
// versions.
type Versions struct{ Ray, Python string }

// ErrNoVersions says that a GCS does not have the entry, perhaps not yet: `ray start` stored it 39
// to 953 ms after the first answer of the GCS. So ask again.
var ErrNoVersions = errors.New("it has not stored its versions")

// Every Ray from 2.9.3 to 2.60.0 keeps them there, as JSON (put_cluster_metadata in Ray's
// usage_lib.py).
const (
	versionsNamespace = "cluster"
	versionsKey       = "CLUSTER_METADATA"
	// statusNotFound is the answer of all of them if there is no such key.
	statusNotFound = 17
)

// Versions asks for the Ray and the Python that the head runs.
func (c *Conn) Versions(ctx context.Context) (Versions, error) {
	const what = "for its versions"
	answer, err := ask(ctx, c, what, c.kv.InternalKVGet, &gcspb.InternalKVGetRequest{
		Namespace: []byte(versionsNamespace), Key: []byte(versionsKey),
	})
	var r *statusError
	if errors.As(err, &r) && r.code == statusNotFound {
		return Versions{}, &failure{c.asking(what), ErrNoVersions.Error(), Rejected, ErrNoVersions}
	}
	if err != nil {
		return Versions{}, err
	}
	v, err := readVersions(answer.GetValue())
	if err != nil {
		return Versions{}, notRay(c.asking(what), err.Error())
	}
	return v, nil
}

func readVersions(value []byte) (Versions, error) {
	var v struct {
		Ray    string `json:"ray_version"`
		Python string `json:"python_version"`
	}
	if json.Unmarshal(value, &v) != nil || v.Ray == "" || v.Python == "" {
		return Versions{}, errors.New("the entry with its versions has no ray_version and python_version")
	}
	return Versions{Ray: printable([]byte(v.Ray)), Python: printable([]byte(v.Python))}, nil
}
